import { type Backbone, OptionError, type Task } from '../index';

/** The adapters in these directories. Throws OptionError for one that is there twice, or tasks of which some take pairs. */
export async function loadTasks(backbone: Backbone, directories: readonly string[]): Promise<Task[]> {
  const twice = directories.find((directory, index) => directories.indexOf(directory) !== index);
  if (twice !== undefined) throw new OptionError('--adapter', `${twice} is there twice`);
  const tasks: Task[] = [];
  for (const directory of directories) tasks.push(await backbone.loadTask(directory));
  const [pairs, single] = [true, false].map((takes) =>
    directories.find((_, index) => tasks[index]?.takesPairs === takes),
  );
  if (pairs !== undefined && single !== undefined) {
    throw new OptionError('--adapter', `${pairs} takes pairs of texts, ${single} single texts`);
  }
  return tasks;
}

/** The page: it draws what the engine tells, and passes on what the user wants. */
import type { EngineError } from '../engine';
import { Announcer } from './announce';
import { createBackbone } from './backbone';
import { createBackboneDialog } from './backbone-dialog';
import { startEngine } from './client';
import type { Context } from './context';
import { createCurves } from './curves';
import { createDevice } from './device';
import { createDrop } from './drop';
import { engineListener } from './events';
import { createExamplesEditor } from './examples-editor';
import { takeHubRequest } from './hub';
import { createImportPanel } from './import-panel';
import { createNavigation } from './navigation';
import { Notices } from './notices';
import { createResult } from './result';
import { becomeIsolated, keepOffline } from './service';
import { createSide } from './side';
import { createStorage } from './storage';
import { Store } from './store';
import { createTaskHead } from './task-head';
import { createTaskList } from './task-list';
import { createTraining } from './training';
import { createUploader } from './transfer';
import { createTry } from './try';

async function start(notices: Notices): Promise<void> {
  createSide();
  await becomeIsolated();
  const store = new Store();
  const engine = await startEngine((error: EngineError) => notices.error(error));
  const context: Context = { engine, store, notices, announcer: new Announcer() };

  createTaskList(context);
  createTaskHead(context);
  createTry(context);
  createResult(context);
  const curves = createCurves(context);
  const examples = createExamplesEditor(context);
  createTraining(context, examples);
  const panel = createImportPanel(context, examples);
  const uploader = createUploader(context);
  const backbone = createBackbone(context);
  createBackboneDialog(context, backbone);
  createDevice(context);
  createStorage(context);
  createDrop({ backbone, examples: panel.readFile, adapter: uploader.upload });
  createNavigation(context);
  keepWhenReady(context);

  const {
    device,
    backbone: kept,
    backboneChoice,
    tasks,
    storage,
  } = await engine.open(engineListener(context, curves));
  store.update({
    isOpen: true,
    backboneChoice,
    storage,
    tasks: new Map(tasks.map((task) => [task.id, task])),
    progress: new Map(tasks.flatMap(({ id, progress }) => (progress === undefined ? [] : [[id, progress]]))),
    // Events may have told newer ones meanwhile.
    device: store.state.device ?? device,
    backbone: store.state.backbone ?? kept,
  });
  const hubId = takeHubRequest();
  if (hubId !== undefined) backbone.load({ kind: 'hub', id: hubId });
}

/** What the page needs first is not to wait for what it may need later. */
function keepWhenReady({ store, notices }: Context): void {
  let isBegun = false;
  store.subscribe(({ backbone, backboneError }) => {
    if (isBegun || (backbone === undefined && backboneError === undefined)) return;
    isBegun = true;
    void keepOffline(notices);
  });
}

const notices = new Notices();
start(notices).catch((reason: unknown) => notices.error(reason));

import { OptionError } from '../index';
import { isHubData } from './data/hub';

/**
 * The options that are for data sets of the hub alone must not be given without one: they would do nothing.
 * @throws OptionError naming the first that is
 */
export function checkHubOptions(
  given: Readonly<Record<`--${string}`, string | undefined>>,
  source: string | undefined,
): void {
  if (source !== undefined && isHubData(source)) return;
  const [flag] = Object.entries(given).find(([, value]) => value !== undefined) ?? [];
  if (flag === undefined) return;
  throw new OptionError(
    flag,
    'is for data sets of the hub',
    'Name one as hub:owner/name, or leave the option out',
  );
}

/** Numbers as people read them. */

/** 12345 → "12,345" */
export function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** "1 example", "2 examples" */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${grouped(count)} ${count === 1 ? singular : plural}`;
}

/** In powers of ten, as file managers show sizes: "312 KB", "7.9 MB" */
export function bytes(count: number): string {
  if (count < 999_500) return `${Math.max(1, Math.round(count / 1e3))} KB`;
  const millions = count / 1e6;
  return millions < 999.5
    ? `${millions.toFixed(millions < 99.95 ? 1 : 0)} MB`
    : `${(count / 1e9).toFixed(1)} GB`;
}

/** 0.9123 → "91.2%" */
export function percent(share: number): string {
  return `${(100 * share).toFixed(1)}%`;
}

/** "0.4 s", "42 s", "3 min 5 s", "2 h 3 min" */
export function duration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** What is left, not more exact than it is known: "a few seconds left", "about 40 s left", "about 3 min left" */
export function timeLeft(seconds: number): string {
  if (seconds < 5) return 'a few seconds left';
  if (seconds < 90) return `about ${Math.ceil(seconds / 5) * 5} s left`;
  if (seconds < 5400) return `about ${Math.round(seconds / 60)} min left`;
  return `about ${(seconds / 3600).toFixed(1)} h left`;
}

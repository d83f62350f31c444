/** Calls back when the event loop of this process has been idle for so many milliseconds since the call. Returns what ends the watch. */
export function watchIdleTime(ms: number, onIdle: () => void): () => void;

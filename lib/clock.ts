/** The clock of this process: unlike that of the day, nobody sets it back. An object, so that tests can move it. */
export const clock = { now: () => performance.now() };

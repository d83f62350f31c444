import process from 'node:process';

/**
 * More than enough CPU time, in milliseconds, for what takes a time that grows with the length of a text; what grows with
 * its square takes longer by far.
 */
export const LINEAR_CPU_MS = 20_000;

/** CPU time of `work` in milliseconds, which does not depend on other processes. */
export function cpuMilliseconds(work: () => void): number {
	const before = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1000;
}

/** The same of work that waits. */
export async function cpuMillisecondsOf(work: () => Promise<unknown>): Promise<number> {
	const before = process.cpuUsage();
	await work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1000;
}

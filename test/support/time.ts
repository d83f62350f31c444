import { process } from './node';

/**
 * Upper limit for "at once", in milliseconds. A busy machine may pause for seconds. What tests distinguish from "at once"
 * takes longer than this.
 */
export const AT_ONCE_MS = 25_000;

/** CPU time of `work` in milliseconds, which does not depend on other processes. */
export function cpuMilliseconds(work: () => void): number {
	const before = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1000;
}

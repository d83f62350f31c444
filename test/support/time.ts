import { process } from './node';

/**
 * The longest that "at once" may take, in milliseconds. A busy machine stands still for seconds now and then; what a
 * test tells "at once" from takes three times as long, or never ends.
 */
export const AT_ONCE_MS = 10_000;

/** Milliseconds of the processor that the work takes: other work on the machine leaves that time alone. */
export function processorTime(work: () => void): number {
	const before = process.cpuUsage();
	work();
	const { user, system } = process.cpuUsage(before);
	return (user + system) / 1000;
}

import { checkServer } from '../../../lib/health/check';
import { waitUntilReady as wait } from '../../../lib/health/wait';
import type { Operation } from '../operation';

export const waitUntilReady: Operation = async (target, parameters) => ({
	health: await wait(async () => await checkServer(target, parameters.check()), {
		limitMs: parameters.milliseconds('options', 'waitLimit', 300),
		waitOutErrors: parameters.flag('options', 'waitOutErrors', false),
		signal: parameters.signal,
	}),
});

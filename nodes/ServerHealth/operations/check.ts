import { checkServer } from '../../../lib/health/check';
import type { Operation } from '../operation';

export const check: Operation = async (target, parameters) => ({
	health: await checkServer(target, parameters.check()),
});

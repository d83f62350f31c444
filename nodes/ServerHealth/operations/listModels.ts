import { listServerModels } from '../../../lib/health/check';
import type { Operation } from '../operation';

export const listModels: Operation = async (target, parameters) => ({
	items: await listServerModels(target, parameters.check()),
});

import { changeModel } from '../../../lib/servers/load';
import type { Operation } from '../operation';

export const unloadModel: Operation = async (target, parameters) => ({
	items: [
		await changeModel(target.connect({}), 'unload', {
			model: parameters.model,
			wait: parameters.flag('modelOptions', 'wait', true),
			limitMs: parameters.milliseconds('modelOptions', 'loadLimit', 600),
			signal: parameters.signal,
		}),
	],
});

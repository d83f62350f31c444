import { SERVER_TEXTS } from '../../errors/chapters/server-texts';
import { sendCommand } from '../send-command';
import type { ModelActions, ServerType } from './server-type';
import { other } from './other';

/** LM Studio (lmstudio.ai/docs/developer). Unknown routes return 200 with an error text. */
export const lmStudio: ServerType = {
	...other,
	name: 'lmStudio',
	label: 'LM Studio',
	modelActions: {
		load: createAction('load', 'model'),
		unload: createAction('unload', 'instance_id'),
	},
	texts: SERVER_TEXTS.lmStudio,
};

/**
 * lmstudio.ai/docs/developer/rest: load and unload.
 *
 * @param field - That of the model's name.
 */
function createAction(action: 'load' | 'unload', field: string): ModelActions['load'] {
	return async (server, { model, signal, timeoutMs }) => {
		const json = { [field]: model };
		const command = { model, signal, timeoutMs, json };
		await sendCommand(server, `/api/v1/models/${action}`, command);
		return { before: 'unknown', state: `${action}ed` };
	};
}

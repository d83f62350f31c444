import { SERVER_TEXTS } from '../../errors/chapters/server-texts';
import type { JsonRecord } from '../../values/records';
import { asRecord, asRecords } from '../../values/records';
import { tryProbeObject } from '../probe';
import type { ServerModel } from '../server-model';
import type { ServerType } from './server-type';
import { other } from './other';

/** LiteLLM's proxy, recognized by its headers, or by the date that it reports for all models (litellm/constants.py). */
export const litellm: ServerType = {
	...other,
	name: 'litellm',
	label: 'LiteLLM',
	isGateway: true,
	fetchModel: async (server, model, options) => {
		const info = await tryProbeObject(server, '/model/info', options);
		return info && { id: model, aliases: [], ...readCapabilities(info, model) };
	},
	texts: SERVER_TEXTS.litellm,
};

/**
 * Only a declaration says what a model lacks: an unknown model has null there (seen: 1.108.7). A name with several entries
 * lacks it if each does.
 */
function readCapabilities(
	info: JsonRecord | undefined,
	model: string,
): Pick<ServerModel, 'vision'> {
	const entries = asRecords(info?.data).filter(({ model_name: name }) => name === model);
	const isDeclared = (entry: JsonRecord) => asRecord(entry.model_info).supports_vision === false;
	return entries.length > 0 && entries.every(isDeclared) ? { vision: false } : {};
}

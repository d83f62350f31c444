import { DifyHttpError } from '../http';
import type { Call } from '../store';
import { PROVIDER } from './shapes';

const MODELS: Record<string, Array<[model: string, context: number]>> = {
	'text-embedding': [
		['embed', 4096],
		['minilm', 512],
	],
	rerank: [['minilm-rank', 512]],
	llm: [['scripted', 4096]],
	tts: [['tts-one', 4096]],
	speech2text: [['stt-one', 4096]],
	moderation: [],
};
const ALIASES: Record<string, string> = { embeddings: 'text-embedding', reranking: 'rerank' };

export function listModels(call: Call): void {
	const modelType = call.ids[0] ?? '';
	const type = ALIASES[modelType] ?? modelType;
	const models = MODELS[type];
	if (models === undefined)
		throw new DifyHttpError(400, 'invalid_param', `invalid origin model type ${modelType}`);
	const label = { zh_Hans: 'OpenAI-API-compatible', en_US: 'OpenAI-API-compatible' };
	const icon = `http://127.0.0.1:15001/console/api/workspaces/w/model-providers/${PROVIDER}/icon_small/`;
	const provider = {
		tenant_id: 'f0a21e03-aa44-4123-9fc8-7062ad5b3035',
		provider: PROVIDER,
		label,
		icon_small: { zh_Hans: `${icon}zh_Hans`, en_US: `${icon}en_US` },
		icon_small_dark: null,
		status: 'active',
		models: models.map(([model, context]) => ({
			model,
			label: { zh_Hans: model, en_US: model },
			model_type: type,
			features: type === 'llm' ? [] : null,
			fetch_from: 'customizable-model',
			model_properties: {
				context_size: context,
				...(type === 'text-embedding' ? { max_chunks: 1 } : {}),
			},
			deprecated: false,
			status: 'active',
			load_balancing_enabled: false,
			has_invalid_load_balancing_configs: false,
		})),
	};
	call.reply(200, { data: models.length === 0 ? [] : [provider] });
}

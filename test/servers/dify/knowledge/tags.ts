import { DifyHttpError, invalid, missing, notFound, pydantic, type PydanticProblem } from '../http';
import type { Call } from '../store';
import type { Json } from '../types';
import { datasetOf, done, requireText } from './checks';
import { PROVIDER } from './shapes';
import type { SimTag } from './state';

function count(call: Call, { id }: SimTag): number {
	return [...call.store.knowledge.datasets.values()].filter(({ tags }) => tags.has(id)).length;
}

/** 1.12 sends a number where its schema has a text: it fails its own check, after the change is done. */
function tagItem(call: Call, tag: SimTag, model: string, path: string): Json {
	const bound = count(call, tag);
	if (call.store.version === '1.12') {
		const text = 'Input should be a valid string';
		throw pydantic(model, [
			{ field: `${path}binding_count`, text, type: 'string_type', input: bound },
		]);
	}
	return { id: tag.id, name: tag.name, type: 'knowledge', binding_count: String(bound) };
}

export function listTags(call: Call): void {
	const tags = [...call.store.knowledge.tags.values()];
	call.reply(
		200,
		tags.map((tag, at) => tagItem(call, tag, 'list[DataSetTag]', `${at}.`)),
	);
}

function checkName(call: Call, model: string): string {
	const { payload, store } = call;
	const name = requireText(model, 'name', payload, 50);
	if (name === '') {
		const text = 'String should have at least 1 character';
		throw pydantic(model, [{ field: 'name', text, type: 'string_too_short', input: name }]);
	}
	if ([...store.knowledge.tags.values()].some((tag) => tag.name === name))
		throw invalid('Tag name already exists');
	return name;
}

function tagOf(call: Call): SimTag {
	const tag = call.store.knowledge.tags.get(String(call.payload.tag_id));
	if (tag === undefined) throw notFound('Tag not found.');
	return tag;
}

export function createTag(call: Call): void {
	const { knowledge } = call.store;
	const tag = { id: call.store.newId('tag'), name: checkName(call, 'TagCreatePayload') };
	knowledge.tags.set(tag.id, tag);
	call.reply(200, tagItem(call, tag, 'DataSetTag', ''));
}

export function renameTag(call: Call): void {
	const tag = tagOf(call);
	tag.name = checkName(call, 'TagUpdatePayload');
	call.reply(200, tagItem(call, tag, 'DataSetTag', ''));
}

export function deleteTag(call: Call): void {
	const tag = tagOf(call);
	const { datasets, tags } = call.store.knowledge;
	tags.delete(tag.id);
	for (const dataset of datasets.values()) dataset.tags.delete(tag.id);
	done(call);
}

function target(call: Call) {
	const dataset = call.store.knowledge.datasets.get(String(call.payload.target_id));
	if (dataset === undefined) throw notFound('Dataset not found.');
	return dataset;
}

/** Unknown tags are bound, too. */
export function bindTags(call: Call): void {
	const ids = call.payload.tag_ids;
	if (!Array.isArray(ids) || ids.length === 0) {
		const text = 'Value error, Tag IDs is required.';
		throw pydantic('TagBindingPayload', [
			{ field: 'tag_ids', text, type: 'value_error', input: ids },
		]);
	}
	const { tags } = target(call);
	for (const id of ids) tags.add(String(id));
	done(call);
}

export function unbindTags(call: Call): void {
	const { payload, store } = call;
	const one = payload.tag_id;
	const many = Array.isArray(payload.tag_ids) ? (payload.tag_ids as unknown[]) : [];
	const problem: PydanticProblem = missing('tag_id', payload);
	if (one === undefined && (store.version === '1.12' || many.length === 0))
		throw pydantic('TagUnbindingPayload', [problem]);
	const { tags } = target(call);
	for (const id of store.version === '1.12' ? [one] : [one, ...many]) tags.delete(String(id));
	done(call);
}

export function tagsOfDataset(call: Call): void {
	const { tags } = datasetOf(call);
	const data = [...tags].flatMap((id) => {
		const tag = call.store.knowledge.tags.get(id);
		return tag === undefined ? [] : [{ id, name: tag.name }];
	});
	call.reply(200, { data, total: data.length });
}

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
	const asked = call.ids[0] ?? '';
	const type = ALIASES[asked] ?? asked;
	const models = MODELS[type];
	if (models === undefined)
		throw new DifyHttpError(400, 'invalid_param', `invalid origin model type ${asked}`);
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

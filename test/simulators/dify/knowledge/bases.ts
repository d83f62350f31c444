import { DifyHttpError, crashed, invalid, isJson, missing, pydantic } from '../http';
import type { Call, Store } from '../store';
import type { Json } from '../types';
import { checkRetrievalModel, datasetOf, done, oneOf, paged, textProblem } from './checks';
import { PROVIDER, baseItem } from './shapes';
import type { SimDataset } from './state';

const PERMISSIONS = ['only_me', 'all_team_members', 'partial_members'];
const TECHNIQUES = ['high_quality', 'economy'];

/** Adds a knowledge base for a test. */
export function addDataset(store: Store, over: Partial<SimDataset> = {}): SimDataset {
	const dataset: SimDataset = {
		id: store.newId('dataset'),
		name: `Base ${store.knowledge.datasets.size + 1}`,
		description: '',
		provider: 'vendor',
		permission: 'only_me',
		members: [],
		technique: null,
		embedding: over.technique === 'high_quality' ? { model: 'minilm', provider: PROVIDER } : null,
		form: null,
		createdAt: store.now(),
		apiEnabled: true,
		isOwn: true,
		fields: [],
		builtIn: false,
		documents: new Map(),
		inUse: false,
		...over,
	};
	store.knowledge.datasets.set(dataset.id, dataset);
	return dataset;
}

const BOOLS: Record<string, boolean> = {
	true: true,
	yes: true,
	'1': true,
	false: false,
	no: false,
	'0': false,
};

export function listDatasets(call: Call): void {
	const { store, query } = call;
	const model = 'DatasetListQuery';
	const word = query.get('include_all') ?? 'false';
	const includeAll = BOOLS[word.toLowerCase()];
	if (includeAll === undefined) {
		const text = 'Input should be a valid boolean, unable to interpret input';
		throw pydantic(model, [{ field: 'include_all', text, type: 'bool_parsing', input: word }]);
	}
	const keyword = (query.get('keyword') ?? '').toLowerCase();
	const all = [...store.knowledge.datasets.values()]
		.filter(({ isOwn }) => includeAll || isOwn)
		.filter(({ name }) => name.toLowerCase().includes(keyword))
		.reverse();
	const { page, frame } = paged(call, model, all);
	call.reply(200, { data: page.map((each) => baseItem(each, 'list')), ...frame });
}

function checkBody(model: string, payload: Json): void {
	const { description, permission, indexing_technique: technique } = payload;
	const long = description === undefined ? undefined : textProblem('description', description, 400);
	if (long !== undefined) throw pydantic(model, [long]);
	if (permission !== undefined) oneOf(model, 'permission', permission, PERMISSIONS);
	if (technique !== undefined && technique !== null)
		oneOf(model, 'indexing_technique', technique, TECHNIQUES, 'literal_error');
	checkRetrievalModel(model, payload.retrieval_model);
}

/** A base's embedding model. Without both names Dify uses its default. */
function embeddingOf(payload: Json): { model: string; provider: string } {
	const { embedding_model: model, embedding_model_provider: provider } = payload;
	if (model === undefined || provider === undefined) {
		return { model: 'minilm', provider: PROVIDER };
	}
	if (provider !== PROVIDER) throw invalid(`Provider ${String(provider)} does not exist.`);
	const known = ['emb', 'embed', 'minilm'].find((each) => each === model);
	if (known === undefined) throw invalid(`Model ${String(model)} credentials is not initialized.`);
	return { model: known, provider };
}

export function createDataset(call: Call): void {
	const { store, payload } = call;
	const model = 'DatasetCreatePayload';
	if (!('name' in payload)) throw pydantic(model, [missing('name', payload)]);
	const { name, permission, provider } = payload;
	if (name === '') {
		const text = 'String should have at least 1 character';
		throw pydantic(model, [{ field: 'name', text, type: 'string_too_short', input: name }]);
	}
	const problem = textProblem('name', name, 40);
	if (problem !== undefined) throw pydantic(model, [problem]);
	checkBody(model, payload);
	if ([...store.knowledge.datasets.values()].some((each) => each.name === name)) {
		const text = 'The dataset name already exists. Please modify your dataset name.';
		throw new DifyHttpError(409, 'dataset_name_duplicate', text);
	}
	const technique = (payload.indexing_technique as string | undefined) ?? null;
	const dataset = addDataset(store, {
		name: name as string,
		description: typeof payload.description === 'string' ? payload.description : '',
		permission: typeof permission === 'string' ? permission : 'only_me',
		provider: typeof provider === 'string' ? provider : 'vendor',
		technique,
		embedding: technique === 'high_quality' ? embeddingOf(payload) : null,
		...(isJson(payload.retrieval_model) ? { retrieval: payload.retrieval_model } : {}),
	});
	call.reply(200, baseItem(dataset, 'change'));
}

export function getDataset(call: Call): void {
	const dataset = datasetOf(call);
	const shared =
		dataset.permission === 'partial_members' ? { partial_member_list: dataset.members } : {};
	call.reply(200, { ...baseItem(dataset, 'get'), ...shared });
}

export function changeDataset(call: Call): void {
	const { store, payload } = call;
	const dataset = datasetOf(call);
	const model = 'DatasetUpdatePayload';
	const { name } = payload;
	const problem = name === undefined ? undefined : textProblem('name', name, 40);
	if (problem !== undefined) throw pydantic(model, [problem]);
	checkBody(model, payload);
	if ([...store.knowledge.datasets.values()].some((each) => each !== dataset && each.name === name))
		throw invalid('Dataset name already exists');
	if (dataset.provider === 'external' && payload.external_knowledge_id === undefined)
		throw invalid('External knowledge id is required.');
	const technique = payload.indexing_technique;
	if (
		dataset.technique === 'economy' &&
		technique === 'high_quality' &&
		payload.embedding_model === undefined
	)
		throw crashed();
	if (typeof name === 'string') dataset.name = name;
	if (typeof payload.description === 'string') dataset.description = payload.description;
	if (typeof payload.permission === 'string') dataset.permission = payload.permission;
	if (typeof technique === 'string') dataset.technique = technique;
	if (payload.embedding_model !== undefined) dataset.embedding = embeddingOf(payload);
	if (isJson(payload.retrieval_model)) dataset.retrieval = payload.retrieval_model;
	const members = payload.partial_member_list;
	if (Array.isArray(members)) dataset.members = members.map((each: Json) => String(each.user_id));
	const isShown = true;
	const shared = isShown ? { partial_member_list: dataset.members } : {};
	call.reply(200, { ...baseItem(dataset, 'change'), ...shared });
}

/** Dify also deletes a base that apps use. */
export function deleteDataset(call: Call): void {
	const dataset = datasetOf(call);
	call.store.knowledge.datasets.delete(dataset.id);
	done(call);
}

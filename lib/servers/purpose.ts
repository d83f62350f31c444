/** Which models of a server may be used for what. */
import { failure } from '../errors/failure';
import { fetchOnce } from '../lru-cache';
import type { Connection } from '../http/connection';
import { askServerKind, identify, knownServerKind, wasSilent } from './identify';
import { type KindName, kindOf } from './kinds';
import type { ModelUse } from './kinds/kind';
import { listModels } from './model-list';
import { isModelNamed } from './model-names';
import { modelEntries, readModels, readOllamaModel, type ServerModel } from './models';
import { optionalJson } from './optional-json';

export type Purpose = Extract<ModelUse, 'embeddings' | 'reranking'>;

const ASK_LIMIT_MS = 10_000;
/** Concurrent requests for the details of Ollama's models. */
const AT_ONCE = 8;
/** Whether a model may serve a use, by what its server tells. */
export function mayServe({ embeddings, reranks, audio }: ServerModel, use: ModelUse): boolean {
	if (use === 'embeddings') return embeddings !== false && reranks !== true;
	if (use === 'reranking') return reranks ?? embeddings !== false;
	// Embedding models make neither pictures nor sound; a model without audio input cannot transcribe.
	return embeddings !== true && reranks !== true && !(use === 'transcription' && audio === false);
}

/**
 * The models of a server that may serve a use: by arguments (router), capabilities (Ollama), categories (GPUStack),
 * tasks (speaches) or input types (llama-server). On other servers, all models.
 *
 * @throws {ServerError} also if there is none
 */
export async function listModelsFor(
	connection: Connection,
	use: ModelUse,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const kind = await kindFor(connection, '', signal);
	const { label, reranks, advice, modelsFrom, hasOllamaApi, transcribesAtInference } = kindOf(kind);
	const isOfTexts = use === 'embeddings' || use === 'reranking';
	if (use === 'reranking' && reranks === false) throw cannotRerank(connection, kind);
	if (!isOfTexts && transcribesAtInference === true)
		throw failure('notSupported', connection.contextOf(connection.url.api), {
			message: 'whisper.cpp has no list of models',
			remedy: 'It has one model: leave the field empty.',
		});
	if (modelsFrom !== undefined) return await modelsOfInfo(connection, kind, signal);
	const named = await modelsOfUse(connection, kind, use, signal).catch((error: unknown) => {
		if (!isOfTexts) throw error;
		return [];
	});
	// For texts, the whole list explains best why none fits.
	const isWhole = named === undefined || (isOfTexts && named.length === 0);
	const all = isWhole ? await listModels(connection, signal) : named;
	const known =
		isOfTexts && hasOllamaApi === true ? await withCapabilities(connection, all, signal) : all;
	const fit = known.filter((model) => mayServe(model, use));
	if (fit.length > 0) return fit;
	const what = isOfTexts
		? `None of the models of the server is for ${use}`
		: `${kind === 'other' ? 'The server' : label} has no model for this`;
	const how =
		{ embeddings: advice.embeddingsOff, reranking: advice.rerankOff }[use as Purpose] ??
		advice.noModels;
	throw failure('modelNotFound', connection.contextOf(`${connection.url.api}/models`), {
		message: what,
		remedy: `${how} You can also type a name with "By Name".`,
	});
}

/** The kind of server for a model. Also identifies servers without a list of models, by `/info`. */
export async function kindFor(
	connection: Connection,
	model: string,
	signal?: AbortSignal,
): Promise<KindName> {
	const known =
		knownServerKind(connection, model) ?? (await askServerKind(connection, model, { signal }));
	// A silent server: the request that follows will report the failure.
	if (known !== 'other' || wasSilent(connection)) return known;
	return (await infoOf(connection, signal)).kind;
}

async function infoOf(connection: Connection, signal: AbortSignal | undefined) {
	const json = await optionalJson(connection, '/info', { timeoutMs: ASK_LIMIT_MS, signal });
	const answers = json === undefined ? {} : { info: { status: 200, headers: {}, text: '', json } };
	return { kind: identify(answers), answers };
}

async function modelsOfInfo(
	connection: Connection,
	kind: KindName,
	signal: AbortSignal | undefined,
): Promise<ServerModel[]> {
	const { answers } = await infoOf(connection, signal);
	return kindOf(kind).modelsFrom?.(answers) ?? [];
}

/**
 * The models that the server itself marks for a use; undefined if it has no such marks.
 *
 * @throws {ServerError}
 */
async function modelsOfUse(
	connection: Connection,
	kind: KindName,
	use: ModelUse,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	const { modelUses } = kindOf(kind);
	if (modelUses === undefined) return undefined;
	const { name, words } = modelUses;
	const word = words[use];
	if (word === undefined) return [];
	const query = modelUses.in === 'query' ? `?${name}=${word}` : '';
	const answer = await connection.call(`${connection.url.api}/models${query}`, {
		timeoutMs: ASK_LIMIT_MS,
		signal,
	});
	if (answer.status >= 300) throw connection.refusal(answer);
	const entries = modelEntries(answer.json) ?? [];
	return readModels(query === '' ? entries.filter((entry) => entry[name] === word) : entries) ?? [];
}

async function withCapabilities(
	connection: Connection,
	models: readonly ServerModel[],
	signal: AbortSignal | undefined,
): Promise<ServerModel[]> {
	const told: ServerModel[] = [];
	for (let start = 0; start < models.length; start += AT_ONCE) {
		const some = models.slice(start, start + AT_ONCE).map(async (model) => {
			if (model.embeddings !== undefined) return model;
			const options = { json: { model: model.id }, once: false, timeoutMs: ASK_LIMIT_MS, signal };
			const shown = await optionalJson(connection, '/api/show', options);
			return shown === undefined ? model : { ...readOllamaModel(model.id, { shown }), ...model };
		});
		told.push(...(await Promise.all(some)));
	}
	return told;
}

/**
 * Returns a function that gives the kind of a server, and checks that its model fits the purpose. Each server is asked
 * once; later calls share the result.
 *
 * @throws {ServerError} from that function, if the model is for something else
 */
export function checkedKinds(
	purpose: Purpose,
): (place: { connection: Connection; model: string }, signal?: AbortSignal) => Promise<KindName> {
	const asked = new Map<Connection, Promise<KindName>>();
	const ask = async (connection: Connection, model: string, signal?: AbortSignal) => {
		const kind = await kindFor(connection, model, signal);
		await requireFit(connection, { model, kind, purpose }, signal);
		return kind;
	};
	return async ({ connection, model }, signal) =>
		await fetchOnce(asked, connection, async () => await ask(connection, model, signal));
}

/**
 * Throws for a model that, by the server's own list, is for something else. llama-server started with `--rerank` and
 * another model answers 200 with meaningless numbers, so only the list can tell (seen with llama.cpp v0.5.0).
 *
 * @throws {ServerError}
 */
export async function requireFit(
	connection: Connection,
	{ model, kind, purpose }: { model: string; kind: KindName; purpose: Purpose },
	signal?: AbortSignal,
): Promise<void> {
	const { reranks, llamaApi, advice } = kindOf(kind);
	if (purpose === 'reranking' && reranks === false) throw cannotRerank(connection, kind);
	if (llamaApi !== 'router') return;
	const url = `${connection.url.api}/models`;
	const { status, json } = await connection.call(url, { timeoutMs: ASK_LIMIT_MS, signal });
	const found = (status < 300 ? readModels(json) : undefined)?.find((one) =>
		isModelNamed(one, model),
	);
	if (found === undefined || mayServe(found, purpose)) return;
	throw failure('notSupported', connection.contextOf(url, { model }), {
		message: `The model "${model}" is not for ${purpose}`,
		meaning: `The router starts the model "${model}" without ${purpose === 'embeddings' ? '--embeddings' : '--rerank'}, so it is not for ${purpose}`,
		remedy: `Choose another model from the list. ${purpose === 'embeddings' ? advice.embeddingsOff : advice.rerankOff}`,
		facts: { args: found.args },
	});
}

function cannotRerank(connection: Connection, kind: KindName) {
	const { label, advice } = kindOf(kind);
	return failure('notSupported', connection.contextOf(connection.url.api), {
		message: `${label} cannot rerank`,
		remedy: advice.rerankOff,
	});
}

/** Which models of a server may be used for what. */
import { fetchOnce } from '../lru-cache';
import type { Connection } from '../http/connection';
import { askServerKind } from './identify';
import { type KindName, kindOf, subjectOf } from './kinds';
import type { ServerKind } from './kinds/kind';
import type { ModelUse } from './kinds/model-abilities';
import { listModels } from './model-list';
import { isModelNamed } from './model-names';
import { readModelsInSlices, type ServerModel } from './models';

export type Purpose = Extract<ModelUse, 'embeddings' | 'reranking'>;

const ASK_LIMIT_MS = 10_000;
/** Whether a model may serve a use, by what its server tells. */
function mayServe({ embeddings, reranks, audio }: ServerModel, use: ModelUse): boolean {
	if (use === 'embeddings') return embeddings !== false && reranks !== true;
	if (use === 'reranking') return reranks ?? embeddings !== false;
	// Embedding models make neither pictures nor sound; a model without audio input cannot transcribe.
	return embeddings !== true && reranks !== true && !(use === 'transcription' && audio === false);
}

/**
 * The models of a server that may serve a use: by arguments (router), capabilities (Ollama), categories (GPUStack),
 * or input types (llama-server). On other servers, all models.
 *
 * @throws {ServerError} also if there is none
 */
export async function listModelsFor(
	connection: Connection,
	use: ModelUse,
	signal?: AbortSignal,
): Promise<ServerModel[]> {
	const name = await kindFor(connection, '', signal);
	const kind = kindOf(name);
	requireUse(connection, kind, use);
	const models = await candidatesFor(connection, kind, use, signal);
	const fit = models.filter((model) => mayServe(model, use));
	if (fit.length > 0) return fit;
	throw connection.failure('modelNotFound', {
		url: `${connection.url.api}/models`,
		message: isOfTexts(use)
			? `None of the models of the server is for ${use}`
			: `${subjectOf(name)} has no model for ${use}`,
		remedy: `${remedyWithout(use, kind)} You can also type a name with "By Name".`,
	});
}

function isOfTexts(use: ModelUse): use is Purpose {
	return use === 'embeddings' || use === 'reranking';
}

/** @throws {ServerError} if the server cannot do this */
function requireUse(connection: Connection, kind: ServerKind, use: ModelUse): void {
	if (use === 'reranking' && kind.rerank.isMissing === true) throw cannotRerank(connection, kind);
}

async function candidatesFor(
	connection: Connection,
	kind: ServerKind,
	use: ModelUse,
	signal: AbortSignal | undefined,
): Promise<readonly ServerModel[]> {
	if (!isOfTexts(use))
		return (
			(await modelsOfUse(connection, kind, use, signal)) ?? (await listModels(connection, signal))
		);
	const marked = await modelsOfUse(connection, kind, use, signal).catch(() => undefined);
	// The whole list explains best why none fits.
	const isMarked = marked !== undefined && marked.length > 0;
	const models = isMarked ? marked : await listModels(connection, signal);
	return (await kind.models.withPurposes?.(connection, models, signal)) ?? models;
}

function remedyWithout(use: ModelUse, { words }: ServerKind): string {
	if (use === 'embeddings') return words.embeddingsOff;
	return use === 'reranking' ? words.rerankOff : words.noModels;
}

/** The kind of server for a model. */
export async function kindFor(
	connection: Connection,
	model: string,
	signal?: AbortSignal,
): Promise<KindName> {
	return await askServerKind(connection, model, { signal });
}

/**
 * The models that the server itself marks for a use; undefined if it has no such marks.
 *
 * @throws {ServerError}
 */
async function modelsOfUse(
	connection: Connection,
	kind: ServerKind,
	use: ModelUse,
	signal: AbortSignal | undefined,
): Promise<ServerModel[] | undefined> {
	const { uses } = kind.models;
	if (uses === undefined) return undefined;
	const { name, words } = uses;
	const word = words[use];
	if (word === undefined) return [];
	const answer = await connection.call(`${connection.url.api}/models?${name}=${word}`, {
		timeoutMs: ASK_LIMIT_MS,
		signal,
	});
	if (answer.status >= 300) throw connection.refusal(answer);
	return (await readModelsInSlices(answer.json)) ?? [];
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
	const kinds = new Map<Connection, Promise<KindName>>();
	const ask = async (connection: Connection, model: string, signal?: AbortSignal) => {
		const kind = await kindFor(connection, model, signal);
		await requireFit(connection, { model, kind, purpose }, signal);
		return kind;
	};
	return async ({ connection, model }, signal) =>
		await fetchOnce(kinds, connection, async () => await ask(connection, model, signal));
}

/**
 * Throws for a model that, by the server's own list, is for something else. llama-server started with `--rerank` and
 * another model answers 200 with meaningless numbers, so only the list can tell (seen with llama.cpp v0.5.0).
 *
 * @throws {ServerError}
 */
export async function requireFit(
	connection: Connection,
	{ model, kind: name, purpose }: { model: string; kind: KindName; purpose: Purpose },
	signal?: AbortSignal,
): Promise<void> {
	const kind = kindOf(name);
	if (purpose === 'reranking' && kind.rerank.isMissing === true)
		throw cannotRerank(connection, kind);
	if (kind.models.listStatesPurpose !== true) return;
	const url = `${connection.url.api}/models`;
	const { status, json } = await connection.call(url, { timeoutMs: ASK_LIMIT_MS, signal });
	const models = status < 300 ? await readModelsInSlices(json) : undefined;
	const listed = models?.find((one) => isModelNamed(one, model));
	if (listed === undefined || mayServe(listed, purpose)) return;
	const option = purpose === 'embeddings' ? '--embeddings' : '--rerank';
	throw connection.failure('notSupported', {
		url,
		model,
		message: `The model "${model}" is not for ${purpose}`,
		meaning: `The server starts the model "${model}" without ${option}, so it is not for ${purpose}`,
		remedy: `Choose another model from the list. ${remedyWithout(purpose, kind)}`,
		facts: { args: listed.args },
	});
}

function cannotRerank(connection: Connection, { label, words }: ServerKind) {
	return connection.failure('notSupported', {
		message: `${label} cannot rerank`,
		remedy: words.rerankOff,
	});
}

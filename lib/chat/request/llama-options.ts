/** Options that llama-server takes without a word where they do nothing. */
import type { Connection } from '../../http/connection';
import { traitsOf } from '../../servers/kinds';
import { isModelNamed } from '../../servers/model-names';
import { readModels } from '../../servers/models';
import { entries, optionalJson } from '../../servers/optional-json';
import { isRecord } from '../../values';
import type { ChatRequest } from '../types';
import { Remembered } from '../../remembered';

const ASK_LIMIT_MS = 3_000;
const answers = Remembered.inProcess<Promise<unknown>>({ most: 200, forMs: 10 * 60_000 });

/**
 * The request as it makes sense for this server, with remarks on what was left out. Asked once in ten minutes, and only
 * where such an option is set; a router is asked nothing that would load a model.
 */
export async function fitToLlamaServer(
	connection: Connection,
	request: ChatRequest,
): Promise<{ request: ChatRequest; notes: string[] }> {
	const { parameters, serverKind } = request;
	const { llamaApi } = traitsOf(serverKind);
	if (llamaApi === undefined) return { request, notes: [] };
	const notes: string[] = [];
	let fitted = parameters;
	if ((parameters.cacheReuse ?? 0) > 0 && (await hasProjector(connection, request))) {
		notes.push(WITH_PROJECTOR);
		fitted = { ...parameters, cacheReuse: undefined };
	}
	if (parameters.lora !== undefined && llamaApi === 'oneModel')
		notes.push(...(await notesOnAdapters(connection, parameters.lora)));
	return { request: { ...request, parameters: fitted }, notes };
}

const WITH_PROJECTOR =
	'Cache Reuse is off for this model: llama-server was started with a projector for pictures or audio (--mmproj), and reuses no pieces of a prompt then.';

async function hasProjector(connection: Connection, { model, serverKind }: ChatRequest): Promise<boolean> {
	if (traitsOf(serverKind).llamaApi === 'router') {
		const list = await remembered(`${connection.url.api}/models`, async () => {
			const { json } = await connection.call(`${connection.url.api}/models`, { timeoutMs: ASK_LIMIT_MS });
			return json;
		});
		const found = readModels(list)?.find((one) => isModelNamed(one, model));
		return found?.args?.some((argument) => /^(?:--mmproj(?:-url)?|-mm|-mmu)$/.test(argument)) ?? false;
	}
	const props = await remembered(
		`${connection.url.root}/props`,
		async () => await optionalJson(connection, '/props', { timeoutMs: ASK_LIMIT_MS }),
	);
	const modalities = isRecord(props) && isRecord(props.modalities) ? props.modalities : {};
	return modalities.vision === true || modalities.audio === true;
}

/** An ID that the server does not have changes nothing, and it does not say so (docs/protocols/llama-server.md 2.1). */
async function notesOnAdapters(connection: Connection, wanted: ReadonlyArray<{ id: number }>): Promise<string[]> {
	const url = `${connection.url.root}/lora-adapters`;
	const list = await remembered(url, async () => {
		const { status, json } = await connection.call(url, { timeoutMs: ASK_LIMIT_MS });
		return status < 300 ? json : undefined;
	});
	if (!Array.isArray(list)) return [];
	const adapters = entries(list);
	const missing = wanted.map(({ id }) => id).filter((id) => !adapters.some((adapter) => adapter.id === id));
	if (missing.length === 0) return [];
	const named = adapters.map(({ id, path }) => `${String(id)} (${String(path).split(/[\\/]/).at(-1)})`);
	const has = named.length === 0 ? 'it was started without --lora' : `it has ${named.join(', ')}`;
	return [
		`This llama-server has no LoRA adapter with the ID ${missing.join(', ')}, and ignores it without a word: ${has}.`,
	];
}

async function remembered(key: string, ask: () => Promise<unknown>): Promise<unknown> {
	const known = answers.get(key);
	if (known !== undefined) return await known;
	// The generation that follows meets the same trouble and reports it.
	const answer = ask().catch(() => undefined);
	answers.set(key, answer);
	const value = await answer;
	if (value === undefined) answers.delete(key);
	return value;
}

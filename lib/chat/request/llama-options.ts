/** Options that llama-server silently ignores in some setups. */
import type { Connection } from '../../http/connection';
import { kindOf } from '../../servers/kinds';
import { isModelNamed } from '../../servers/model-names';
import { readModels } from '../../servers/models';
import { cachedJson } from '../../servers/optional-json';
import { recordOf, recordsIn } from '../../values';
import type { ChatRequest } from '../types';

/**
 * The request without options that would have no effect, and notes about them. The server is asked only if such an
 * option is set, at most once in ten minutes; a router is asked nothing that would load a model.
 */
export async function fitToLlamaServer(
	connection: Connection,
	request: ChatRequest,
): Promise<{ request: ChatRequest; notes: string[] }> {
	const { parameters, serverKind } = request;
	const { llamaApi } = kindOf(serverKind);
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

const PROJECTOR_ARGUMENT = /^(?:--mmproj(?:-url)?|-mm|-mmu)$/;

async function hasProjector(
	connection: Connection,
	{ model, serverKind }: ChatRequest,
): Promise<boolean> {
	if (kindOf(serverKind).llamaApi === 'router') {
		const list = await cachedJson(connection, `${connection.url.api}/models`);
		const listedModel = readModels(list)?.find((one) => isModelNamed(one, model));
		return (listedModel?.args ?? []).some((argument) => PROJECTOR_ARGUMENT.test(argument));
	}
	const props = await cachedJson(connection, `${connection.url.root}/props`);
	const modalities = recordOf(recordOf(props).modalities);
	return modalities.vision === true || modalities.audio === true;
}

/** llama-server silently ignores unknown IDs (docs/protocols/llama-server.md 2.1). */
async function notesOnAdapters(
	connection: Connection,
	requested: ReadonlyArray<{ id: number }>,
): Promise<string[]> {
	const list = await cachedJson(connection, `${connection.url.root}/lora-adapters`);
	if (!Array.isArray(list)) return [];
	const adapters = recordsIn(list);
	const missing = requested
		.map(({ id }) => id)
		.filter((id) => !adapters.some((adapter) => adapter.id === id));
	if (missing.length === 0) return [];
	const loaded = adapters.map(
		({ id, path }) => `${String(id)} (${String(path).split(/[\\/]/).at(-1)})`,
	);
	const has = loaded.length === 0 ? 'it was started without --lora' : `it has ${loaded.join(', ')}`;
	return [
		`This llama-server has no LoRA adapter with the ID ${missing.join(', ')}, and ignores it without a word: ${has}.`,
	];
}

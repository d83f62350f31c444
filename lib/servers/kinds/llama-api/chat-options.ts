/** Options of chats that llama-server silently ignores in some setups, and its templates. */
import type { Connection } from '../../../http/connection';
import { isModelNamed } from '../../model-names';
import { readModels } from '../../models';
import { cachedJson } from '../../optional-json';
import { recordOf, recordsIn } from '../../../values';
import type { ChatAbilities, SetOptions } from '../chat-abilities';
import { modelQueryWithoutLoading } from './routes';

type Ineffective = Awaited<ReturnType<NonNullable<ChatAbilities['ineffectiveOptions']>>>;

const WITH_PROJECTOR =
	'Cache Reuse is off for this model: llama-server was started with a projector for pictures or audio (--mmproj), and reuses no pieces of a prompt then.';

const PROJECTOR_OPTION = /^(?:--mmproj(?:-url)?|-mm|-mmu)$/;

/** For a llama-server with one model. Asked at most once in ten minutes. */
export async function ineffectiveOnServer(
	connection: Connection,
	_model: string,
	{ cacheReuse = 0, lora }: SetOptions,
): Promise<Ineffective> {
	const notes = lora === undefined ? [] : await notesOnAdapters(connection, lora);
	if (cacheReuse <= 0) return { without: [], notes };
	const props = await cachedJson(connection, `${connection.url.root}/props`);
	const { vision, audio } = recordOf(recordOf(props).modalities);
	return withoutCacheReuse(vision === true || audio === true, notes);
}

/** For a router, which is asked nothing that would load a model. */
export async function ineffectiveOnRouter(
	connection: Connection,
	model: string,
	{ cacheReuse = 0 }: SetOptions,
): Promise<Ineffective> {
	if (cacheReuse <= 0) return { without: [], notes: [] };
	const list = await cachedJson(connection, `${connection.url.api}/models`);
	const listed = readModels(list)?.find((one) => isModelNamed(one, model));
	const hasProjector = listed?.args?.some((argument) => PROJECTOR_OPTION.test(argument)) ?? false;
	return withoutCacheReuse(hasProjector, []);
}

function withoutCacheReuse(hasProjector: boolean, notes: string[]): Ineffective {
	if (!hasProjector) return { without: [], notes };
	return { without: ['cacheReuse'], notes: [WITH_PROJECTOR, ...notes] };
}

/** llama-server silently ignores unknown IDs (docs/protocols/llama-server.md 2.1). */
async function notesOnAdapters(
	connection: Connection,
	lora: ReadonlyArray<{ id: number }>,
): Promise<string[]> {
	const list = await cachedJson(connection, `${connection.url.root}/lora-adapters`);
	if (!Array.isArray(list)) return [];
	const adapters = recordsIn(list);
	const missing = lora
		.map(({ id }) => id)
		.filter((id) => !adapters.some((adapter) => adapter.id === id));
	if (missing.length === 0) return [];
	const names = adapters.map(
		({ id, path }) => `${String(id)} (${String(path).split(/[\\/]/).at(-1)})`,
	);
	const has = names.length === 0 ? 'it was started without --lora' : `it has ${names.join(', ')}`;
	return [
		`This llama-server has no LoRA adapter with the ID ${missing.join(', ')}, and ignores it without a word: ${has}.`,
	];
}

export async function templateOnServer(connection: Connection): Promise<unknown> {
	return await cachedJson(connection, `${connection.url.root}/props`);
}

export async function templateOnRouter(connection: Connection, model: string): Promise<unknown> {
	const query = modelQueryWithoutLoading(model);
	return await cachedJson(connection, `${connection.url.root}/props${query}`);
}

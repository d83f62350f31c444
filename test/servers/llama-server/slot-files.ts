/** Slots on disk and adapters (docs/protocols/llama-server.md 2.12). */
import type { WireRequest } from '../raw-http';
import type { Json } from './chat';
import { invalidRequest, notSupported, serverError, wrongType } from './errors';
import { typeName } from './json';
import type { Settings } from './options';
import type { SlotPool } from './slots';

const BYTES_PER_TOKEN = 530;
const HEADER_BYTES = 40;

/** Saved tokens by file name. */
export type SlotFiles = Map<string, number>;

interface SlotState {
	pool: SlotPool;
	settings: Settings;
	files: SlotFiles;
}

/**
 * `POST /slots/{id}?action=…`. The ID is taken modulo the number of slots, but returned unchanged.
 *
 * @param parse parses the body, which `erase` does not need
 */
export const slotAction = (
	request: WireRequest,
	parse: () => Json,
	{ pool, settings, files }: SlotState,
): object => {
	if (settings.slotSavePath === undefined)
		throw notSupported(
			'This server does not support slots action. Start it with `--slot-save-path`',
		);
	const asked = Number(request.path.split('/').at(-1));
	if (!Number.isInteger(asked)) throw invalidRequest('Invalid slot ID');
	const action = request.query.get('action');
	const slot = ((asked % pool.count) + pool.count) % pool.count;
	const held = pool.state()[slot]!.tokens;
	if (action === 'erase') {
		pool.erase(slot);
		return { id_slot: asked, n_erased: held };
	}
	if (action !== 'save' && action !== 'restore') throw invalidRequest('Invalid action');
	const { filename } = parse();
	if (filename === undefined)
		throw serverError("[json.exception.out_of_range.403] key 'filename' not found");
	if (typeof filename !== 'string') throw wrongType('string', typeName(filename));
	if (filename === '' || /[/\\]|\.\./.test(filename)) throw invalidRequest('Invalid filename');
	if (action === 'save') {
		files.set(filename, held);
		return {
			id_slot: asked,
			filename,
			n_saved: held,
			n_written: bytesOf(held),
			timings: { save_ms: 0.125 },
		};
	}
	const saved = files.get(filename);
	if (saved === undefined)
		throw invalidRequest(
			'Unable to restore slot: No available space in KV cache or invalid slot save file',
		);
	return {
		id_slot: asked,
		filename,
		n_restored: saved,
		n_read: bytesOf(saved),
		timings: { restore_ms: 0.106 },
	};
};

const bytesOf = (tokens: number): number => HEADER_BYTES + tokens * BYTES_PER_TOKEN;

/** `GET /lora-adapters` */
export const adapterList = ({ adapters }: Settings): object[] =>
	adapters.map(({ path, scale }, id) => ({ id, path, scale, task_name: '', prompt_prefix: '' }));

/** `POST /lora-adapters`: always succeeds. Adapters that are not named get scale 0. */
export const setAdapters = (body: unknown, { adapters }: Settings): object => {
	if (!Array.isArray(body)) throw invalidRequest('Request body must be an array');
	const given = body as Json[];
	for (const [at, adapter] of adapters.entries()) {
		const scale = given.findLast(({ id }) => id === at)?.scale;
		adapter.scale = typeof scale === 'number' ? Math.fround(scale) : 0;
	}
	return { success: true };
};

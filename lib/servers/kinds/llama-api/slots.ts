/** The prompt caches of llama-server's slots on disk (docs/protocols/llama-server.md 2.12). */
import { failure, invalidInput } from '../../../errors/failure';
import { asFailed, type ServerError, throwAs } from '../../../errors/server-error';
import type { Connection } from '../../../http/connection';
import { finiteNumber, type JsonRecord, optional, recordOf, recordsIn } from '../../../values';
import { jsonAt, optionalJson } from '../../optional-json';
import type { SlotAbilities, SlotUse } from '../model-abilities';
import type { SlotAction, SlotOptions, SlotResult } from '../work';
import { type Addressing, LlamaRoutes } from './routes';

/** Slots of a server whose models are addressed like this. */
export function slotsOf(addressing: Addressing): SlotAbilities {
	return {
		change: async (connection, action, options) =>
			await changeSlot(connection, addressing, action, options),
	};
}

/** `/props` neither wakes nor loads anything (docs/protocols/llama-server.md 2.1). */
export async function countSlots(
	connection: Connection,
	timeoutMs: number,
): Promise<number | undefined> {
	const total = (await optionalJson(connection, '/props', { timeoutMs }))?.total_slots;
	return typeof total === 'number' && total >= 1 ? Math.floor(total) : undefined;
}

/** The route may be switched off, then it answers 501 (docs/protocols/llama-server.md 2.4). */
export async function lookAtSlots(
	connection: Connection,
	timeoutMs: number,
): Promise<SlotUse | undefined> {
	const slots = recordsIn(await jsonAt(connection, `${connection.url.root}/slots`, { timeoutMs }));
	if (slots.length === 0) return undefined;
	const idle = slots.flatMap((slot, id) => (isBusySlot(slot) ? [] : [id]));
	return { total: slots.length, idle };
}

/** Whether a slot of the list is answering a request. Older servers, and ik_llama.cpp, have a number: 0 is idle. */
export function isBusySlot({ is_processing: isProcessing, state }: JsonRecord): boolean {
	return isProcessing === true || (typeof state === 'number' && state !== 0);
}

/**
 * Saves a slot's prompt cache to a file, restores it, or erases it.
 *
 * @throws {ServerError} also for an unknown slot, before anything is changed: the server would take the number modulo
 *   its slots (seen: v0.5.0)
 */
async function changeSlot(
	connection: Connection,
	addressing: Addressing,
	action: SlotAction,
	options: SlotOptions,
): Promise<SlotResult> {
	const { slot } = options;
	const fileName = (options.fileName ?? '').trim();
	const routes = new LlamaRoutes(connection, addressing, options, 'route for slots');
	const count = await slotCount(routes);
	requireSlot(slot, count);
	const body = action === 'erase' ? {} : { filename: fileName };
	const changing = routes.change(`/slots/${slot}?action=${action}`, body);
	const answer = await changing.catch(
		throwAs((error) => {
			// Without the folder, older servers have slots, and not this route.
			const { status } = error;
			const isMissing = (status === 404 || status === 405) && count === undefined;
			return isMissing ? error : explained(error, action, fileName);
		}),
	);
	const result = recordOf(answer.json);
	const tokens = finiteNumber(result.n_saved ?? result.n_restored ?? result.n_erased);
	if (tokens === undefined)
		throw failure('invalidAnswer', routes.context, {
			message: 'The answer of the server says nothing of the slot',
			remedy: 'Check that the Base URL leads to llama-server.',
			serverText: answer.text,
		});
	const timings = recordOf(result.timings);
	return {
		slot,
		...(action === 'erase' ? {} : { fileName }),
		tokens,
		...optional({
			bytes: finiteNumber(result.n_written ?? result.n_read),
			milliseconds: finiteNumber(timings.save_ms ?? timings.restore_ms),
		}),
	};
}

/** @throws {ServerError} of kind `invalidInput` */
function requireSlot(slot: number, count: number | undefined): void {
	const isThere = Number.isInteger(slot) && slot >= 0 && (count === undefined || slot < count);
	if (isThere) return;
	throw invalidInput(`The server has no slot ${slot}`, slotsInWords(count), {
		facts: { slots: count },
	});
}

function slotsInWords(count: number | undefined): string {
	if (count === undefined) return 'Slots are numbered from 0 on.';
	const slots = count === 1 ? 'slot, which is number 0' : `slots, numbered from 0 to ${count - 1}`;
	return `It has ${count} ${slots}. Start llama-server with -np for more.`;
}

/** The number of slots; undefined if the server does not show it. */
async function slotCount(routes: LlamaRoutes): Promise<number | undefined> {
	const outcome = await routes.get('/props').catch(asFailed);
	if (!('failed' in outcome)) return finiteNumber(recordOf(outcome.json).total_slots);
	const { failed } = outcome;
	const isFinal =
		failed.status === undefined ||
		failed.kind === 'unauthorized' ||
		failed.kind === 'modelNotFound';
	if (isFinal) throw failed;
	return undefined;
}

function explained(error: ServerError, action: SlotAction, fileName: string): ServerError {
	const { kind, status, serverText = '' } = error;
	if (status === 501 || kind === 'notSupported')
		return error.reworded({
			kind: 'notSupported',
			message: 'The server was not started for saving slots',
			remedy: 'Start llama-server with --slot-save-path FOLDER.',
		});
	if (action === 'restore' && /unable to restore slot/i.test(serverText))
		return error.reworded({
			kind: 'badRequest',
			message: `The slot could not be restored from "${fileName}"`,
			meaning: `The file "${fileName}" is missing, or it is from another model or another context size`,
			remedy: 'Save the slot again with the model and the --ctx-size that the server has now.',
		});
	return error;
}

/** The prompt caches of llama-server's slots on disk (docs/protocols/llama-server.md 2.12). */
import { failure, invalidInput } from '../../errors/failure';
import { asFailed, type ServerError, throwAs } from '../../errors/server-error';
import type { Connection } from '../../http/connection';
import { finiteNumber, optional, recordOf } from '../../values';
import { LlamaServerRoutes, type NativeRouteOptions } from './llama-server-routes';

export type SlotAction = 'save' | 'restore' | 'erase';

export interface SlotOptions extends NativeRouteOptions {
	slot: number;
	/** Not for `erase`. A name without folders: the file is in the server's --slot-save-path. */
	fileName?: string;
}

/**
 * Saves a slot's prompt cache to a file, restores it, or erases it.
 *
 * @throws {ServerError} also for an unknown slot, before anything is changed: the server would take the number modulo
 *   its slots (seen: v0.5.0)
 */
export async function changeSlot(connection: Connection, action: SlotAction, ask: SlotOptions) {
	const { slot, fileName = '' } = ask;
	if (action !== 'erase') requireFileName(fileName);
	const routes = await LlamaServerRoutes.of(connection, ask, 'slots');
	const count = await slotCount(routes);
	if (!Number.isInteger(slot) || slot < 0 || (count !== undefined && slot >= count))
		throw invalidInput(
			`The server has no slot ${slot}`,
			count === undefined
				? 'Slots are numbered from 0 on.'
				: `It has ${count} ${count === 1 ? 'slot, which is number 0' : `slots, numbered from 0 to ${count - 1}`}. Start llama-server with -np for more.`,
			{ facts: { slots: count } },
		);
	const body = action === 'erase' ? {} : { filename: fileName.trim() };
	const changing = routes.change(`/slots/${slot}?action=${action}`, body);
	const answer = await changing.catch(
		throwAs((error) => explained(error, action, routes, fileName)),
	);
	const result = recordOf(answer.json);
	const timings = recordOf(result.timings);
	const tokens = finiteNumber(result.n_saved ?? result.n_restored ?? result.n_erased);
	if (tokens === undefined)
		throw failure('invalidAnswer', routes.context, {
			message: 'The answer of the server says nothing of the slot',
			remedy: 'Check that the Base URL leads to llama-server.',
			serverText: answer.text,
		});
	const bytes = finiteNumber(result.n_written ?? result.n_read);
	const milliseconds = finiteNumber(timings.save_ms ?? timings.restore_ms);
	const file = action === 'erase' ? {} : { fileName: fileName.trim() };
	return { slot, ...file, tokens, ...optional({ bytes, milliseconds }) };
}

/** The number of slots; undefined if the server does not show it. */
async function slotCount(routes: LlamaServerRoutes): Promise<number | undefined> {
	const outcome = await routes.get('/props').catch(asFailed);
	if (!('failed' in outcome)) return finiteNumber(recordOf(outcome.json).total_slots);
	const { failed } = outcome;
	if (
		failed.status !== undefined &&
		failed.kind !== 'unauthorized' &&
		failed.kind !== 'modelNotFound'
	)
		return undefined;
	throw failed;
}

function requireFileName(name: string): void {
	const trimmed = name.trim();
	if (
		trimmed !== '' &&
		trimmed !== '.' &&
		!trimmed.includes('..') &&
		!/[/\\:*?"<>|\p{Cc}]/u.test(trimmed)
	)
		return;
	throw invalidInput(
		trimmed === ''
			? 'The file of the slot has no name'
			: `"${trimmed}" is not a name for the file of a slot`,
		'Give a name without folders, such as system-prompt.bin. The server keeps it in its --slot-save-path.',
	);
}

function explained(
	error: ServerError,
	action: SlotAction,
	routes: LlamaServerRoutes,
	fileName: string,
): ServerError {
	const { status, serverText = '' } = error;
	if (status === 501 || error.kind === 'notSupported')
		return failure('notSupported', routes.context, {
			status,
			serverText,
			message: 'The server was not started for saving slots',
			remedy: 'Start llama-server with --slot-save-path FOLDER.',
		});
	if (action === 'restore' && /unable to restore slot/i.test(serverText))
		return failure('badRequest', routes.context, {
			status,
			serverText,
			message: `The slot could not be restored from "${fileName.trim()}"`,
			meaning: `The file "${fileName.trim()}" is missing, or it is from another model or another context size`,
			remedy: 'Save the slot again with the model and the --ctx-size that the server has now.',
		});
	return error;
}

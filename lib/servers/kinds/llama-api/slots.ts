/** The slots of llama-server: how many there are, and how many answer. */
import type { Connection } from '../../../http/connection';
import type { JsonRecord } from '../../../values';
import { optionalJson } from '../../optional-json';

/** `/props` neither wakes nor loads anything (docs/protocols/llama-server.md 2.1). */
export async function countSlots(
	connection: Connection,
	timeoutMs: number,
): Promise<number | undefined> {
	const total = (await optionalJson(connection, '/props', { timeoutMs }))?.total_slots;
	return typeof total === 'number' && total >= 1 ? Math.floor(total) : undefined;
}

/** Whether a slot of the list is answering a request. Older servers, and ik_llama.cpp, have a number: 0 is idle. */
export function isBusySlot({ is_processing: isProcessing, state }: JsonRecord): boolean {
	return isProcessing === true || (typeof state === 'number' && state !== 0);
}

import { invalidInput } from '../../errors/failure';
import type { Connection } from '../../http/connection';
import type { SlotAction, SlotOptions, SlotResult } from '../kinds/work';
import { abilityFor } from './ability';

/**
 * Saves a slot's prompt cache to a file, restores it, or erases it.
 *
 * @throws {ServerError}
 */
export async function changeSlot(
	connection: Connection,
	action: SlotAction,
	options: SlotOptions,
): Promise<SlotResult> {
	if (action !== 'erase') requireFileName((options.fileName ?? '').trim());
	const slots = await abilityFor(connection, options, 'slots', (kind) => kind.slots);
	return await slots.change(connection, action, options);
}

/** @throws {ServerError} of kind `invalidInput` */
function requireFileName(name: string): void {
	const isName = name !== '' && name !== '.' && !name.includes('..');
	if (isName && !/[/\\:*?"<>|\p{Cc}]/u.test(name)) return;
	throw invalidInput(
		name === ''
			? 'The file of the slot has no name'
			: `"${name}" is not a name for the file of a slot`,
		'Give a name without folders, such as system-prompt.bin. The server keeps it in its --slot-save-path.',
	);
}

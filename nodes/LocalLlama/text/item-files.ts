/** The text and the files of an item, for a model. */
import type { InputMessage } from '../../../lib/chat/input-message';
import { toInputParts } from '../../../lib/chat/input-message';
import type { SentFile } from '../../../lib/files/file-errors';
import type { LlamaCall } from '../run-local-llama';
import { toWrittenText } from '../../../lib/fields/check-value';
import type { OptionValues, TextField, ValueSource } from '../../../lib/fields/field';
import { createEmptyFieldError } from '../../../lib/fields/field-errors';
import { readBuffer } from '../../../lib/http/response-body';
import { readFirstChunk } from '../../../lib/files/file-identity';
import type { ContentPart } from '../../../lib/files/read-file';
import { assertReadable, readFile } from '../../../lib/files/read-file';
import { getFileType } from '../../../lib/files/file-types';
import { openBinaryField, splitNames } from '../../../lib/n8n/binary';
import type { TriggerFile } from '../../../lib/n8n/trigger-files';
import { isMissingInMessage } from '../../shared/items/chat-files';
import { textField } from './text-fields';
import { getOrigin, isAdded } from '../../shared/fields/read-values';

/**
 * Option for files.
 *
 * @param usage - A sentence that says how they are used.
 */
export function binaryFieldsField(usage: string): BinaryFieldsField {
	return {
		kind: 'text',
		label: 'Input Binary Fields',
		placeholder: 'e.g. data, data2',
		description: `Names of the binary fields with images, audio (wav, mp3, flac), video, emails or text, separated by commas. ${usage}`,
		parse: parseBinaryFields,
	};
}

/** Names of binary fields: text, or a list from an expression. */
export interface BinaryFieldsField extends TextField {
	parse(value: unknown, source: ValueSource): string[];
}

/** @returns names, without empty ones */
export function parseBinaryFields(value: unknown, source: ValueSource): string[] {
	return Array.isArray(value) ? value.map(String) : splitNames(toWrittenText(source, value));
}

/** The call of an operation with this option. */
type FileCall = LlamaCall & {
	values: { readonly options: OptionValues<{ readonly binaryFields: BinaryFieldsField }> };
};

/** Files of an item, for the model and for errors. */
interface ItemFiles {
	/** For the model. */
	parts: ContentPart[];
	/** For errors, in the same order. */
	files: SentFile[];
}

/**
 * Reads the item's files.
 *
 * @throws a `ServerError` of type `invalidInput` for a file that no model server supports.
 */
export async function readItemFiles(call: FileCall): Promise<ItemFiles> {
	const { options } = call.values;
	const { binaryFields = [] } = options;
	const isOptionAdded = isAdded(options, 'binaryFields');
	// An option that is added and empty is consent.
	if (!isOptionAdded || binaryFields.length > 0)
		await addUnsentFiles(call, binaryFields, isOptionAdded ? ENTER_FIELD : ADD_OPTION);
	return await readFiles(call, binaryFields);
}

/**
 * Reads the files of an item that a field names.
 *
 * @throws a `ServerError` of type `invalidInput` for a file that is not there, or that no model server supports.
 */
export async function readNamedFiles(
	call: LlamaCall,
	names: readonly string[],
): Promise<ItemFiles> {
	await addUnsentFiles(call, names, ENTER_FIELD);
	return await readFiles(call, names);
}

async function readFiles(call: LlamaCall, names: readonly string[]): Promise<ItemFiles> {
	const { context, itemIndex } = call;
	const itemFiles: ItemFiles = { parts: [], files: [] };
	for (const property of names.filter((name) => !isMissingInMessage(call, name))) {
		const { name, mimeType, size, open } = await openBinaryField(context, itemIndex, property);
		assertReadable({ name, mimeType, size, head: await readFirstChunk(open()) });
		const bytes = await readBuffer(open());
		const { part, warnings } = await readFile({ name, mimeType, bytes });
		warnings.forEach((warning) => call.hint(warning));
		itemFiles.parts.push(part);
		itemFiles.files.push({ name, mimeType, size: bytes.byteLength, head: bytes.subarray(0, 4096) });
	}
	return itemFiles;
}

/**
 * Remembers the files from the trigger that no field names: all of a chat message, and of others those of a kind that models
 * read.
 */
async function addUnsentFiles(call: LlamaCall, names: readonly string[], remedy: string) {
	for (const file of call.getTriggerFiles()) {
		const { name, property, isOfChat } = file;
		if (names.includes(property) || !(isOfChat || (await isReadByModels(call, file)))) continue;
		const reason = `Input Binary Fields does not name ${property}`;
		call.losses.add('unsentFile', { name, reason, remedy });
	}
}

const ADD_OPTION =
	'To send such files, add the option Input Binary Fields and enter the names. To hide this hint, leave it empty.';

/** What to do about a file of the trigger that a field could name. */
export const ENTER_FIELD: string = 'To send such files, enter these names, too.';

async function isReadByModels(
	{ context, itemIndex }: LlamaCall,
	{ property, mimeType }: TriggerFile,
): Promise<boolean> {
	const head = await openBinaryField(context, itemIndex, property)
		.then(async ({ open }) => await readFirstChunk(open()))
		.catch(() => new Uint8Array());
	return getFileType(head, mimeType).category !== 'document';
}

/** The text of an item with its files. */
export interface PromptInput {
	/** For the model. */
	input: InputMessage;
	/** For errors. */
	files: SentFile[];
}

/**
 * Reads the text of the item with its files.
 *
 * @throws a `ServerError` of type `invalidInput` if there is neither, or for a file that no model server supports.
 */
export async function readPromptInput(
	call: FileCall & { values: { readonly text: string } },
): Promise<PromptInput> {
	const { values } = call;
	const { text } = values;
	const isBlank = text.trim() === '';
	const { parts, files } = await readItemFiles(call);
	// A model would invent something.
	if (isBlank && parts.length === 0) throw createEmptyFieldError(textField);
	const content = toInputParts(isBlank ? '' : text, getOrigin(values, 'text'));
	return { input: { type: 'human', content, files: parts }, files };
}

import { readBuffer } from '../../../lib/http/response-body';
import { readFilePart } from '../../../lib/tasks/read-file-part';
import type { SentFile } from '../../../lib/tasks/file-errors';
import { createFileSource, splitNames } from '../../shared/binary';
import { stringField } from '../../shared/field-builders';
import { type NodeParameters, createFieldError } from '../../shared/parameters';
import type { LlamaCall } from '../operation';

/** @param place where the files go */
export function binaryFieldsField(place: string) {
	return stringField('Input Binary Fields', 'binaryFields', {
		placeholder: 'e.g. data, data2',
		description: `Names of the binary fields with images, audio (wav, mp3, flac), video, emails or text, separated by commas. ${place}`,
	});
}

/** What an item gives to a model. */
interface PromptInput {
	/** In the form of OpenAI. */
	blocks: object[];
	files: SentFile[];
}

function namesOf(parameters: NodeParameters): string[] {
	const fields = parameters.value('binaryFields');
	if (Array.isArray(fields)) return fields.map(String);
	return splitNames(parameters.rawString('binaryFields'));
}

/**
 * The item's files, opened. Names are given as text, or as a list from an expression.
 *
 * @throws {ServerError} of kind `invalidInput` for a file that no model server reads
 */
export async function readItemFiles(call: LlamaCall): Promise<PromptInput> {
	const input: PromptInput = { blocks: [], files: [] };
	for (const property of namesOf(call.parameters)) {
		const { name, mimeType, open } = await createFileSource(call.context, call.itemIndex, property);
		const bytes = await readBuffer(open());
		const { block, sentFile, warnings } = await readFilePart({ name, mimeType, bytes });
		warnings.forEach((hint) => call.hint(hint));
		input.blocks.push(block);
		input.files.push(sentFile);
	}
	return input;
}

/**
 * The text of the item with its files.
 *
 * @throws {ServerError} of kind `invalidInput` where there is neither, or a file that no model server reads
 */
export async function readPromptInput(call: LlamaCall): Promise<PromptInput> {
	const { parameters } = call;
	const text = parameters.rawString('text');
	const { blocks, files } = await readItemFiles(call);
	const written = text.trim() === '' ? [] : [{ type: 'text', text }];
	// A model would make something up.
	if (written.length + blocks.length === 0)
		throw createFieldError(parameters.field('text').label, 'is empty');
	return { blocks: [...written, ...blocks], files };
}

import { readBuffer } from '../../../lib/http/response-body';
import { readFilePart } from '../../../lib/tasks/read-file-part';
import type { SentFile } from '../../../lib/tasks/file-errors';
import { createFileSource, splitNames } from '../../shared/binary';
import { stringField } from '../../shared/field-builders';
import { type NodeParameters, createFieldError } from '../../shared/parameters';
import type { LlamaCall } from '../operation';

/** Option for files. @param usage sentence that says how the files are used */
export function binaryFieldsField(usage: string) {
	return stringField('Input Binary Fields', 'binaryFields', {
		placeholder: 'e.g. data, data2',
		description: `Names of the binary fields with images, audio (wav, mp3, flac), video, emails or text, separated by commas. ${usage}`,
	});
}

/** Input of an item for a model. */
interface PromptInput {
	/** OpenAI content parts. */
	blocks: object[];
	files: SentFile[];
}

function readNames(parameters: NodeParameters): string[] {
	const fields = parameters.value('options.binaryFields');
	if (Array.isArray(fields)) return fields.map(String);
	return splitNames(parameters.rawString('options.binaryFields'));
}

/**
 * Reads the item's files. Names are text, or a list from an expression.
 *
 * @throws {ServerError} `invalidInput` for a file that no model server supports
 */
export async function readItemFiles(call: LlamaCall): Promise<PromptInput> {
	const input: PromptInput = { blocks: [], files: [] };
	for (const property of readNames(call.parameters)) {
		const { name, mimeType, open } = await createFileSource(call.context, call.itemIndex, property);
		const bytes = await readBuffer(open());
		const { block, sentFile, warnings } = await readFilePart({ name, mimeType, bytes });
		warnings.forEach((warning) => call.hint(warning));
		input.blocks.push(block);
		input.files.push(sentFile);
	}
	return input;
}

/**
 * Reads the text of the item with its files.
 *
 * @throws {ServerError} `invalidInput` if there is neither, or for a file that no model server supports
 */
export async function readPromptInput(call: LlamaCall): Promise<PromptInput> {
	const { parameters } = call;
	const text = parameters.rawString('text');
	const { blocks, files } = await readItemFiles(call);
	const textBlocks = text.trim() === '' ? [] : [{ type: 'text', text }];
	// A model would invent something.
	if (textBlocks.length + blocks.length === 0)
		throw createFieldError(parameters.field('text').label, 'is empty');
	return { blocks: [...textBlocks, ...blocks], files };
}

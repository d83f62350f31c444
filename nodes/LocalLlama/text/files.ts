import { contentPart } from '../../../lib/chat/request/media';
import { mediaOf, textOf } from '../../../lib/chat/request/content';
import type { ContentPart, MediaPart } from '../../../lib/chat/types';
import { readWhole } from '../../../lib/http/too-long';
import { binarySource, namesIn } from '../../shared/binary';
import { stringField } from '../../shared/field-kinds';
import { wrongField } from '../../shared/field-values';
import type { NodeParameters } from '../../shared/parameters';
import type { LlamaCall } from '../operation';

/** @param place where the files go */
export function binaryFieldsField(place: string) {
	return stringField('Input Binary Fields', 'binaryFields', {
		placeholder: 'e.g. data, data2',
		description: `Names of binary fields with pictures, audio (wav, mp3, flac), video or text, separated by commas. ${place}`,
	});
}

type ItemCall = Pick<LlamaCall, 'context' | 'parameters' | 'itemIndex'>;

function namesOf(parameters: NodeParameters): string[] {
	const fields = parameters.value('binaryFields');
	if (Array.isArray(fields)) return fields.map(String);
	return namesIn(parameters.freeText('binaryFields'));
}

/** The item's binary fields as content blocks. Names are given as text, or as a list from an expression. */
export async function fileBlocksIn({
	context,
	parameters,
	itemIndex,
}: ItemCall): Promise<unknown[]> {
	const blocks: unknown[] = [];
	for (const name of namesOf(parameters)) {
		const { name: filename, mimeType, open } = await binarySource(context, itemIndex, name);
		const data = (await readWhole(open())).toString('base64');
		blocks.push({ type: 'media', mime_type: mimeType, filename, data });
	}
	return blocks;
}

/**
 * The text of the item with its files.
 *
 * @throws {ServerError} of kind `invalidInput` where there is neither, or a file that no model server can read
 */
export async function inputIn(call: ItemCall): Promise<{ text: string; media: MediaPart[] }> {
	const { parameters } = call;
	const written = parameters.freeText('text');
	const parts = (await fileBlocksIn(call)).map(contentPart);
	const files = parts.filter((part): part is ContentPart => part !== undefined);
	const text = [written, textOf(files, '\n\n')].filter((one) => one.trim() !== '').join('\n\n');
	const media = mediaOf(files);
	// A model would make something up.
	if (text === '' && media.length === 0)
		throw wrongField(parameters.field('text').label, 'is empty');
	return { text, media };
}

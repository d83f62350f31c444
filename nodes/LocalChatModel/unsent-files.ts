/** The files of an item that its root node does not pass on to the model. */
import type { INode } from 'n8n-workflow';
import type { InputMessage } from '../../lib/chat/input-message';
import type { FileType } from '../../lib/files/file-types';
import { getFileType, UNSUPPORTED_FILE_SUGGESTIONS } from '../../lib/files/file-types';
import { identifyFile } from '../../lib/files/file-identity';
import type { UnsentFile } from '../../lib/unsent-files';
import { getOwn } from '../../lib/values/own-properties';
import { asRecord, asString } from '../../lib/values/records';
import type { TriggerFile } from '../../lib/n8n/trigger-files';

/** How each root node sends images. Others read files in ways that the model does not see, such as a document loader. */
const IMAGE_REMEDIES: ReadonlyMap<string, string> = new Map([
	[
		'@n8n/n8n-nodes-langchain.agent',
		'To send images, turn on the option Automatically Passthrough Binary Images of the agent.',
	],
	[
		'@n8n/n8n-nodes-langchain.chainLlm',
		'To send images, add them to the Chat Messages of the chain as Image (Binary).',
	],
]);

/** A file of the item and what it is. */
interface TypedFile {
	file: TriggerFile;
	type: FileType;
}

/**
 * Compares the files from the trigger with the request.
 *
 * @param rootNode undefined if n8n does not say which node uses the model
 * @returns of a chat message, all that are not sent; of others, those of a kind that models read
 */
export function findUnsentFiles(
	files: readonly TriggerFile[],
	messages: readonly InputMessage[],
	rootNode: INode | undefined,
): UnsentFile[] {
	const imageRemedy = IMAGE_REMEDIES.get(rootNode?.type ?? '');
	if (files.length === 0 || imageRemedy === undefined) return [];
	const typed = files.map((file) => ({
		file,
		type: toDeclaredType(file),
	}));
	const isSent = createSentCheck(typed, messages);
	return typed
		.filter(({ file, type }) => file.isOfChat || type.category !== 'document')
		.filter((one) => !isSent(one))
		.map(({ file: { name }, type }) => ({
			name,
			reason: `${rootNode!.name} did not pass it on`,
			remedy: type.category === 'image' ? imageRemedy : getRemedy(type),
		}));
}

/** The type that a file declares: its bytes are read where it is sent. */
function toDeclaredType({ name, mimeType }: TriggerFile): FileType {
	const declared = identifyFile({ name, mimeType, head: new Uint8Array() });
	return declared.mimeType === MAIL_TYPE
		? { category: 'email', mimeType: MAIL_TYPE, extension: 'eml' }
		: getFileType(new Uint8Array(), declared.mimeType);
}

const MAIL_TYPE = 'message/rfc822';

function getRemedy({ category, extension }: FileType): string {
	if (category === 'audio' || category === 'video')
		return 'To send audio and video, use the operation Chat of Local Llama, with its option Input Binary Fields.';
	return (
		getOwn(UNSUPPORTED_FILE_SUGGESTIONS, extension) ??
		'Read documents with the node Extract from File, and add their text to the prompt.'
	);
}

/** Whether a file is in the request: images and documents by their count, texts by the header that n8n's agent gives them. */
function createSentCheck(files: readonly TypedFile[], messages: readonly InputMessage[]) {
	const blocks = messages
		.filter(({ type }) => type === 'human')
		.flatMap(({ content }) => content.map(({ block }) => block));
	const texts = blocks.map((block) => asString(block) ?? asString(asRecord(block).text) ?? '');
	const media = blocks.filter((block) => isMedia(asRecord(block).type));
	const isText = ({ type: { category } }: TypedFile) => category === 'text' || category === 'email';
	const areMediaSent = media.length >= files.filter((file) => !isText(file)).length;
	return (one: TypedFile) =>
		isText(one)
			? texts.some((text) => text.startsWith(`File: ${one.file.name}\n`))
			: areMediaSent || (one.type.category === 'image' && hasAllImages(files, media));
}

function isMedia(type: unknown) {
	return typeof type === 'string' && type !== 'text';
}

function hasAllImages(files: readonly TypedFile[], media: readonly unknown[]) {
	const images = media.filter((block) => /image/.test(String(asRecord(block).type)));
	return images.length >= files.filter(({ type }) => type.category === 'image').length;
}

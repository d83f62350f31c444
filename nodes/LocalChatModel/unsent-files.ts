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

/** What a root node can pass on. */
interface PassedFiles {
	categories: ReadonlyArray<FileType['category']>;
	/** How it does. */
	remedy: string;
}

/** By the type of the root node. Others read files in ways that the model does not see, such as a document loader. */
const PASSED_FILES: ReadonlyMap<string, PassedFiles> = new Map([
	[
		'@n8n/n8n-nodes-langchain.agent',
		{
			// With the option off, n8n's agent passes on no texts either (ToolsAgent/common.js).
			categories: ['image', 'text'],
			remedy:
				'To send images and texts, turn on the option Automatically Passthrough Binary Images of the agent.',
		},
	],
	[
		'@n8n/n8n-nodes-langchain.chainLlm',
		{
			categories: ['image'],
			remedy: 'To send images, add them to the Chat Messages of the chain as Image (Binary).',
		},
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
	const passed = PASSED_FILES.get(rootNode?.type ?? '');
	if (files.length === 0 || passed === undefined) return [];
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
			remedy: passed.categories.includes(type.category) ? passed.remedy : getRemedy(type, name),
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

function getRemedy({ category }: FileType, name: string): string {
	const [, ending = ''] = /\.(\w{1,5})$/.exec(name.toLowerCase()) ?? [];
	if (category === 'audio' || category === 'video')
		return 'To send audio and video, use the operation Chat of Local Llama, with its option Input Binary Fields.';
	return (
		(ending === '' ? undefined : getOwn(UNSUPPORTED_FILE_SUGGESTIONS, ending)) ??
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

/** The chapter of Dify: what its routes, apps and knowledge bases are about. */
import { truncate } from '../../values/text';
import { formatDuration } from '../../values/duration';
import { getOwn } from '../../values/own-properties';
import type { ErrorType } from '../error-types';
import { DIFY_CLOUD_IS_SILENT } from '../rows/dify';
import { ERROR_TYPES, isConnectionError } from '../error-types';
import type {
	BrokenUpload,
	Facts,
	FailedNode,
	FileObstacle,
	FormFieldLimits,
	SignedFileObstacle,
	UnacceptedFiles,
	UnstoredFile,
} from '../facts';
import type { Row } from './row';
import { defineRow } from './row';

/** What an object of a knowledge base is called, and where else it may be. */
interface ObjectWords {
	noun: string;
	suggestion: string;
}

const MISSING_OBJECTS: Readonly<Record<Facts['missingObject']['kind'], ObjectWords>> = {
	knowledgeBase: {
		noun: 'knowledge base',
		suggestion: 'It was deleted, or belongs to another workspace than the key. Select it again.',
	},
	document: {
		noun: 'document',
		suggestion:
			'The knowledge base exists, but does not have this document: it was deleted, or belongs to another knowledge base.',
	},
	chunk: {
		noun: 'chunk',
		suggestion:
			'The document exists, but does not have this chunk: it was deleted, or belongs to another document.',
	},
};

const LIST = new Intl.ListFormat('en');

function formatCount(count: number, noun: string) {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/**
 * Why Dify does not accept a file, as a clause.
 *
 * @param place - What does not accept it.
 */
export function describeObstacle(obstacle: FileObstacle, place = 'the app'): string {
	switch (obstacle.type) {
		case 'disabled':
			return 'file upload is disabled in the app';
		case 'kind':
			return obstacle.accepted.length === 0
				? `${place} does not accept its type`
				: `${place} accepts only ${LIST.format(obstacle.accepted)}`;
		case 'urlsOnly':
			return `${place} accepts files only as URLs`;
		case 'uploadsOnly':
			return `${place} accepts no URLs of files`;
		case 'size':
			return `it exceeds the limit of ${obstacle.maxMegabytes} MB`;
		case 'count':
			return `${place} accepts ${obstacle.maxFiles} per message`;
	}
}

const OBSTACLE_ADVICE: Readonly<Record<FileObstacle['type'], string>> = {
	disabled:
		'Enable file upload in the app in Dify and publish it, or remove the files in the node.',
	kind: 'Convert the file, or allow its type',
	urlsOnly: 'Send the URL of the file, or allow uploads',
	uploadsOnly: 'Send the file as binary data, or allow URLs',
	size: 'Send a smaller file, or raise UPLOAD_FILE_SIZE_LIMIT in the Dify settings (images, audio and videos: UPLOAD_IMAGE_, UPLOAD_AUDIO_ and UPLOAD_VIDEO_FILE_SIZE_LIMIT).',
	count: 'Select fewer files, or raise the maximum number of uploads',
};

const SMALLER_FILE = 'Send a smaller file.';

/** Names of files in a title. */
const MAX_FILE_NAMES = 10;
const MAX_FILE_NAME_LENGTH = 80;

function describeUnaccepted({ names, obstacle, formField }: UnacceptedFiles) {
	const place = formField === undefined ? 'the app' : `the form field "${formField}"`;
	const named = names
		.slice(0, MAX_FILE_NAMES)
		.map((name) => `"${truncate(name, MAX_FILE_NAME_LENGTH)}"`)
		.join(', ');
	const list = names.length > MAX_FILE_NAMES ? `${named}, …` : named;
	const advice = OBSTACLE_ADVICE[obstacle.type];
	const settings =
		formField === undefined
			? 'the file upload settings of the app in Dify, and publish it'
			: `the settings of ${place} in Dify, and publish the app`;
	if (obstacle.type === 'disabled')
		return {
			title: 'File upload is disabled in the app, so Dify would ignore the files',
			suggestion: advice,
		};
	return {
		title:
			obstacle.type === 'count'
				? `${place.charAt(0).toUpperCase()}${place.slice(1)} accepts ${formatCount(obstacle.maxFiles, 'file')}, but ${names.length} were selected: ${list}`
				: `Dify would not accept ${list}: ${describeObstacle(obstacle, place)}`,
		suggestion: advice.endsWith('.') ? advice : `${advice} in ${settings}.`,
	};
}

const OF_FILES: readonly ErrorType[] = [
	'appFeatureDisabled',
	'fileTypeNotAllowed',
	'fileRejected',
	'requestTooLarge',
];

/** Dify said what it is about. */
const RESPONDED: readonly ErrorType[] = ERROR_TYPES.filter((type) => !isConnectionError(type));

/** By Dify's code, if it says more than its type. */
const ADVICE_OF_CODE: Readonly<Record<string, string>> = {
	human_input_form_expired:
		'The run takes the timeout branch of its node: use Follow to see how it continues. To allow more time, raise the timeout of the Human Input node in Dify.',
	human_input_form_submitted:
		'Only the first submission counts: use Follow to see how the run continues.',
	unsupported_audio_type:
		'Dify accepts MP3, M4A, WAV, AMR and MPGA. Convert the recording to one of these formats first.',
	audio_too_large:
		'Dify transcribes at most 30 MB. Send a compressed format such as MP3, or split the recording.',
	file_too_large: OBSTACLE_ADVICE.size,
	file_extension_blocked:
		'Dify blocks files with this extension for all apps. Send another format, or remove the extension from UPLOAD_FILE_EXTENSION_BLACKLIST in the Dify settings.',
	invalid_action:
		'The state of the document does not allow this: Dify locks one while it is indexed, and for up to ten minutes after it was enabled or disabled. Nothing was changed.',
};

/** The same on Dify Cloud, whose settings users cannot change. Default: as above. */
const CLOUD_ADVICE_OF_CODE: Readonly<Record<string, string>> = {
	file_too_large: SMALLER_FILE,
	file_extension_blocked:
		'Dify blocks files with this extension for all apps. Send another format.',
};

/** By the type of the node of a workflow that failed. */
const ADVICE_OF_NODE: Readonly<Record<string, string>> = {
	tool: 'The app and its model work, but a tool failed: check its settings and credentials in Dify (Tools, Plugins), and open the run in the logs of the app.',
	'http-request':
		'Dify requests this URL itself, from its own containers and through its SSRF proxy: localhost and private addresses may be blocked there. Check the URL, and the log of the server that it is about.',
};

/** The same on Dify Cloud. Default: as above. */
const CLOUD_ADVICE_OF_NODE: Readonly<Record<string, string>> = {
	'http-request':
		'Dify Cloud requests this URL itself, so it must be a public one. Check the URL, and the log of the server that it is about.',
};

/** Characters of a name or of values in a sentence. */
const MAX_NAME_LENGTH = 60;
const MAX_EXAMPLE_LENGTH = 300;
const MAX_OPTIONS_LENGTH = 200;

/** The facts that decide whether Dify accepts a value. */
export function describeFormField({
	variable,
	type,
	maxLength = 0,
	options,
}: FormFieldLimits): string {
	const unit = type === 'file-list' ? 'files' : 'characters';
	const facts = [`variable ${variable}`, `type ${type}`];
	if (maxLength > 0) facts.push(`maximum ${maxLength} ${unit}`);
	if (options.length > 0) facts.push(`one of ${truncate(options.join(', '), MAX_OPTIONS_LENGTH)}`);
	return facts.join(', ');
}

/** Why a file is not fetched, as a clause, with what to do about it. */
export function describeSignedFileObstacle(obstacle: SignedFileObstacle): string {
	switch (obstacle.kind) {
		case 'noUrl':
			return `"${obstacle.text}" is not a URL`;
		case 'otherProtocol':
			return `its URL uses ${obstacle.protocol}, and only http and https are supported`;
		case 'otherOrigin':
			return `it is stored at ${obstacle.origin}, not on the Dify server of the credential. If this Dify stores its files there (FILES_URL, S3), add ${obstacle.origin} to the option "Fetch Files From"`;
	}
}

function describeUnstored({ name, waitedMs }: UnstoredFile) {
	return `Dify did not process "${name}" within ${formatDuration(waitedMs)}`;
}

function describeBrokenUpload({ name = 'the file', fileSize, sentBytes }: BrokenUpload) {
	return `The connection was closed while "${name}" was being uploaded (${sentBytes} of ${fileSize} bytes)`;
}

/** `"Search" (tool)` */
export function describeFailedNode({ name, type }: FailedNode): string {
	return `"${name}"${type === undefined ? '' : ` (${type})`}`;
}

export const DIFY_ROWS: readonly Row[] = [
	defineRow({
		types: ['notFound', 'datasetNotFound'],
		needs: ['missingObject'],
		tell: ({ missingObject: { kind, id } }) => {
			const { noun, suggestion } = MISSING_OBJECTS[kind];
			const title = `Dify cannot find the ${noun} ${id}`;
			return { title, detail: title, suggestion };
		},
	}),
	defineRow({
		types: OF_FILES,
		needs: ['unacceptedFiles', 'isDifyCloud'],
		tell: ({ unacceptedFiles }) =>
			unacceptedFiles.obstacle.type === 'size'
				? { ...describeUnaccepted(unacceptedFiles), suggestion: SMALLER_FILE }
				: undefined,
	}),
	defineRow({
		types: OF_FILES,
		needs: ['unacceptedFiles'],
		tell: ({ unacceptedFiles }) => describeUnaccepted(unacceptedFiles),
	}),
	defineRow({
		types: ['wrongAppType'],
		needs: ['otherApp'],
		tell: ({ otherApp: { name, node } }) => ({
			title: `This key belongs to ${name}`,
			suggestion: `This key belongs to ${name}: use the ${node} node for this app, or the key of another app.`,
		}),
	}),
	defineRow({
		types: ['formRejected'],
		needs: ['missingValues'],
		tell: ({ missingValues: { names, example } }) => {
			const list = names.map((name) => `"${truncate(name, MAX_NAME_LENGTH)}"`).join(', ');
			const values = truncate(JSON.stringify(example), MAX_EXAMPLE_LENGTH);
			return `No value was sent for ${list}. Enter it in the field Values: ${values}. The form is still open.`;
		},
	}),
	defineRow({
		types: ['fileRejected'],
		needs: ['unreadableFile'],
		tell: ({ unreadableFile: { name, reason } }) => ({
			title: `"${name}" could not be read: ${reason}`,
			suggestion: 'Check the binary data of the item and the binary data storage of n8n.',
		}),
	}),
	defineRow({
		types: ['runTimeout'],
		needs: ['unstoredFile', 'isDifyCloud'],
		tell: ({ unstoredFile }) => ({
			title: describeUnstored(unstoredFile),
			suggestion: DIFY_CLOUD_IS_SILENT,
		}),
	}),
	defineRow({
		types: ['runTimeout'],
		needs: ['unstoredFile'],
		tell: ({ unstoredFile }) => ({
			title: describeUnstored(unstoredFile),
			suggestion: 'Check the log of the Dify API, its storage, and the proxy in front of it.',
		}),
	}),
	defineRow({
		types: ['requestTooLarge'],
		needs: ['brokenUpload', 'isDifyCloud'],
		tell: ({ brokenUpload }) => ({
			title: describeBrokenUpload(brokenUpload),
			suggestion: 'The usual cause is a file that is too large: send a smaller one.',
		}),
	}),
	defineRow({
		types: ['requestTooLarge'],
		needs: ['brokenUpload'],
		tell: ({ brokenUpload }) => ({
			title: describeBrokenUpload(brokenUpload),
			suggestion:
				'The usual cause is a file that is too large for a proxy in front of Dify: raise its limit (nginx: client_max_body_size), or send a smaller file.',
		}),
	}),
	defineRow({
		types: ['fileRejected'],
		needs: ['signedFileObstacle', 'isDocumentDownload'],
		tell: ({ signedFileObstacle }) => {
			const title = 'The file of the document could not be downloaded';
			const detail = `${title}: ${describeSignedFileObstacle(signedFileObstacle)}`;
			return { title, detail, suggestion: '' };
		},
	}),
	defineRow({
		types: ['fileRejected'],
		needs: ['signedFileObstacle'],
		tell: ({ signedFileObstacle }) => ({
			title: describeSignedFileObstacle(signedFileObstacle),
		}),
	}),
	defineRow({
		types: ['indexingFailed'],
		needs: ['embeddingModel'],
		tell: ({ embeddingModel: { name, provider } }) =>
			`The document was split, and its chunks failed: check the embedding model "${name}" of the provider ${provider} in Dify (Settings, Model Provider), and its server. Then send the document again under the same name: until then it stays in the knowledge base with the status "error".`,
	}),
	// No logs and no run exist: what was sent is the reason.
	defineRow({
		types: ['runFailed'],
		needs: ['isBeforeRun'],
		tell: () =>
			'Dify rejected the request before a run started, so its logs show nothing. Correct the inputs in the node, or the form of the app.',
	}),
	defineRow({
		types: RESPONDED,
		needs: ['difyCode', 'isDifyCloud'],
		tell: ({ difyCode }) => getOwn(CLOUD_ADVICE_OF_CODE, difyCode),
	}),
	defineRow({
		types: RESPONDED,
		needs: ['difyCode'],
		tell: ({ difyCode }) => getOwn(ADVICE_OF_CODE, difyCode),
	}),
	defineRow({
		types: RESPONDED,
		needs: ['failedNode', 'isDifyCloud'],
		tell: ({ failedNode: { type = '' } }) => getOwn(CLOUD_ADVICE_OF_NODE, type),
	}),
	defineRow({
		types: RESPONDED,
		needs: ['failedNode'],
		tell: ({ failedNode: { type = '' } }) => getOwn(ADVICE_OF_NODE, type),
	}),
	// The types of Dify's codes say that a value is wrong, and its parameter which.
	defineRow({
		types: RESPONDED,
		needs: ['namedParameter'],
		tell: ({ namedParameter }) => `Change "${namedParameter}".`,
	}),
];

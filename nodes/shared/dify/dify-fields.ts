/** Fields that the Dify nodes share, and how they are read. */
import type { INodeProperties } from 'n8n-workflow';
import { parseUuid } from '../../../lib/dify/ids';
import type { NodeParameters } from '../parameters';
import type { OperationCall } from '../run/operation';
import { parseOrigins } from '../../../lib/dify/download-file';
import { createFileSource } from '../binary';
import {
	booleanField,
	resourceLocatorField,
	ID_EXAMPLE,
	stringField,
	integerField,
	choiceField,
	shownIf,
} from '../field-builders';
import { secondsField } from '../timeout-fields';
import type { FileSource } from '../../../lib/http/multipart';

/** A conversation, from the list of the user or by ID. */
export function conversationField(overrides: Partial<INodeProperties> = {}): INodeProperties {
	return resourceLocatorField('Conversation', 'conversationId', 'searchConversations', overrides);
}

/** A message, by the ID that Dify Chat Message returns. */
export function messageField(description: string): INodeProperties {
	return stringField('Message ID', 'messageId', {
		default: '={{ $json.messageId }}',
		required: true,
		placeholder: ID_EXAMPLE,
		description,
	});
}

/** "Return All" and "Limit". */
export const pagingFields = [
	booleanField(
		'Return All',
		'returnAll',
		false,
		'Whether to return all results or only up to a given limit',
	),
	integerField('Limit', 'limit', 50, [1], {
		...shownIf('returnAll', false),
		description: 'Max number of results to return',
	}),
];

/** Reads the paging fields. */
export function readLimit(parameters: NodeParameters): number {
	return parameters.boolean('returnAll') ? Infinity : parameters.number('limit');
}

/**
 * Field for the input binary field.
 *
 * @param contents "the file", "the recording" and so on
 */
export function binaryField(contents: string): INodeProperties {
	return stringField('Input Binary Field', 'binaryPropertyName', {
		default: 'data',
		required: true,
		hint: `The name of the input binary field with ${contents}`,
	});
}

export const NO_BINARY_FIELD = 'Enter the name of the field that contains the file.';

/**
 * Reads the file of the input binary field.
 *
 * @param assertFile - Throws for a file that cannot be sent, before the hints about how it is sent.
 */
export async function readFile(
	{ context, itemIndex, parameters, hint }: OperationCall,
	assertFile?: (file: FileSource) => void,
): Promise<FileSource> {
	const property = parameters.requiredString('binaryPropertyName', NO_BINARY_FIELD);
	const source = await createFileSource(context, itemIndex, property);
	assertFile?.(source);
	source.warnings?.forEach(hint);
	return source;
}

/** The field for the output binary field. */
export function outputField(
	name: string,
	overrides: Partial<INodeProperties> = {},
): INodeProperties {
	return stringField('Put Output File in Field', name, {
		default: 'data',
		hint: 'The name of the output binary field to put the file in',
		...overrides,
	});
}

/**
 * Option for additional origins of files.
 *
 * @param files for example "files of the outputs"
 */
export function fetchFilesFromField(files: string): INodeProperties {
	return stringField('Fetch Files From', 'fetchFilesFrom', {
		placeholder: 'e.g. https://files.example.com',
		description: `Additional URLs, separated by commas, from which ${files} may be downloaded if this Dify stores its files elsewhere (FILES_URL, S3). The URL of the credential is always allowed.`,
	});
}

/**
 * Reads this option.
 *
 * @throws {ServerError} for invalid URLs
 */
export function readFileOrigins(parameters: NodeParameters): string[] {
	return parseOrigins(parameters.rawString('options.fetchFilesFrom'));
}

const NO_MESSAGE =
	'Add this node after Dify Chat Message, and drag the field messageId of its output to Message ID. If other nodes are in between, drag it from the Dify Chat Message node itself.';

/**
 * The ID in a field.
 *
 * @throws {ServerError} of type `invalidId` if the field is empty or has another value
 */
export function readId(parameters: NodeParameters, name: string): string {
	const label = parameters.field(name).label.toLowerCase().replace(/ id$/, '');
	const emptySuggestion = name === 'messageId' ? NO_MESSAGE : undefined;
	return parseUuid(parameters.value(name), `${label} ID`, { emptySuggestion });
}

/** Bytes: the web server of Dify accepts as much in the first line of a request by default (Gunicorn: limit_request_line). */
const MAX_KEYWORD_BYTES = 4_000;

/**
 * Part of the names or texts to search for, which is sent in the URL.
 *
 * @returns empty for all
 * @throws {ServerError} if no server accepts a URL with it
 */
export function readKeyword(parameters: NodeParameters): string {
	const keyword = parameters.string('keyword');
	if (encodeURIComponent(keyword.toWellFormed()).length <= MAX_KEYWORD_BYTES) return keyword;
	throw parameters.createError(
		'keyword',
		'is too long for a search',
		'Shorten it to a few words, because it is sent in the URL of the request.',
	);
}

/** A path with the IDs of fields: "/datasets/{difyDatasetId}". */
export function readPath(parameters: NodeParameters, template: string): string {
	return template.replace(/\{(\w+)\}/g, (_match, name: string) => readId(parameters, name));
}

export const simplifyField: INodeProperties = booleanField(
	'Simplify',
	'simplify',
	true,
	'Whether to return a simplified version of the response instead of the raw data',
);

/** Field for runs that pause for human input. */
export function onPauseField(description: string): INodeProperties {
	return choiceField(
		'When Workflow Pauses',
		'onPause',
		'return',
		{
			error: 'Fail',
			return: [
				'Return Paused Run',
				'The output item then has the status "paused" and the pending forms',
			],
		},
		description,
	);
}

/** The end of the description of Retries. */
export const RETRY_CONDITION =
	'that Dify did not accept: a refused connection, or too many requests. A run that may have started is never sent again.';

/** Options of every node that starts runs, by name. */
export const RUN_OPTIONS = {
	enableStreaming: booleanField(
		'Enable Streaming',
		'enableStreaming',
		true,
		'Whether to stream the response to the n8n chat if the Chat Trigger or Webhook responds with streaming. Items are then processed one after another. Expressions are evaluated for the first item only.',
	),
	idleTimeout: secondsField(
		'Idle Timeout (Seconds)',
		'idleTimeout',
		600,
		'How long to wait without an event of the run; Dify pings do not count. 0 = no limit.',
	),
	maxConcurrentItems: integerField('Max Concurrent Items', 'maxConcurrentItems', 1, [1, 64]),
	maxRetries: integerField('Retries', 'maxRetries', 2, [0, 10]),
	totalTimeout: secondsField(
		'Total Timeout (Seconds)',
		'totalTimeout',
		0,
		'How long a run may take. After that, the node requests a stop. Dify stops a run after 20 minutes by default. 0 = no limit.',
	),
	traceId: stringField(
		'Trace ID',
		'traceId',
		'ID of this run in the tracing service connected to Dify: up to 128 letters, digits, hyphens and underscores',
	),
	workflowId: stringField('Workflow ID', 'workflowId'),
} satisfies Record<string, INodeProperties>;

/** Titles and suggestions that follow from Dify's code and message, if they are more specific than those of the type. */
import type { ServerErrorDetails } from '../errors/server-error';
import type { WorkflowNode } from './types';

type Texts = Partial<Pick<ServerErrorDetails, 'detail' | 'suggestion'>>;

/** What a text says about the error; undefined if it does not apply. */
type Explanation = (text: string) => Texts | undefined;

const always = (suggestion: string) => (): Texts => ({ suggestion });

/** Of Dify's service, not of an app. */
const BLOCKED_EXTENSION = /extension\b.{1,100}\bfor security reasons/;

const ALLOW_EXTENSION =
	'Dify blocks files with this extension for all apps. Send another format, or remove the extension from UPLOAD_FILE_EXTENSION_BLACKLIST in the Dify settings.';

/** By code or type. */
const EXPLANATIONS = new Map<string, Explanation>(
	Object.entries({
		human_input_form_expired: always(
			'The run takes the timeout branch of its node: use Follow to see how it continues. To allow more time, raise the timeout of the Human Input node in Dify.',
		),
		human_input_form_submitted: always(
			'Only the first submission counts: use Follow to see how the run continues.',
		),
		unsupported_audio_type: always(
			'Dify accepts MP3, M4A, WAV, AMR and MPGA. Convert the recording to one of these formats first.',
		),
		audio_too_large: always(
			'Dify transcribes at most 30 MB. Send a compressed format such as MP3, or split the recording.',
		),
		file_too_large: always(
			'Send a smaller file, or raise UPLOAD_FILE_SIZE_LIMIT in the Dify settings (images, audio and videos: UPLOAD_IMAGE_, UPLOAD_AUDIO_ and UPLOAD_VIDEO_FILE_SIZE_LIMIT).',
		),
		invalid_form_data: (text) => {
			const action = /^Invalid action: (.{1,200})/.exec(text)?.[1];
			if (action === undefined) return undefined;
			return {
				suggestion:
					'Enter the ID or label of one of its buttons: Get (resource Form) and the paused run (forms, actions) list them.',
			};
		},
		appInactive: (text) =>
			/^Tenant\b|\bworkspace's status\b/.test(text)
				? {
						suggestion:
							'It was deleted or archived, or has no owner. Use a key of an active workspace.',
					}
				: undefined,
		documentBusy: (text) =>
			/^Another\b/.test(text)
				? {
						suggestion:
							'Dify makes such changes one after another: try again in a moment. Nothing was changed.',
					}
				: undefined,
		nameTaken: (text) =>
			/\bBuilt-in fields\b/i.test(text)
				? {
						suggestion:
							'Choose another name: built-in fields have values of their own, and cannot be replaced.',
					}
				: undefined,
		forbidden: (text) =>
			/\bpermission\b/i.test(text)
				? {
						suggestion:
							'The key is valid, but its owner may not do this. Check who has permission in Dify (Permissions in the settings of the knowledge base).',
					}
				: undefined,
		datasetRejected: (text) =>
			/\bis already (?:enabled|disabled|archived)\b/.test(text)
				? { suggestion: 'It already has this status: nothing was changed.' }
				: undefined,
		invalid_action: (text) => {
			const name = /^Document: ?(.{1,200}) is being indexed\b/.exec(text)?.[1];
			if (name === undefined) return undefined;
			return {
				suggestion:
					'Dify locks a document for up to ten minutes after it was enabled or disabled, and while it is indexed. Try again after that. Nothing was changed.',
			};
		},
		fileRejected: (text) => {
			if (BLOCKED_EXTENSION.test(text)) return { suggestion: ALLOW_EXTENSION };
			const name = /^File validation failed for file: (.{1,200})/.exec(text)?.[1];
			if (name === undefined) return undefined;
			return {
				suggestion:
					'Allow its type or extension in Dify (File Upload of the app, or the field of its form) and publish the app, or send a file of an allowed type.',
			};
		},
	}),
);

/** A suggestion for what a message says, whatever its type is. */
interface Advice {
	pattern: RegExp;
	suggestion: string;
}

const TOOL_ADVICE =
	'The app and its model work, but a tool failed: check its settings and credentials in Dify (Tools, Plugins), and open the run in the logs of the app.';

/** Limits of runs, of code nodes and of models, and tools. */
const ADVICE: readonly Advice[] = [
	{
		pattern: /\bMaximum execution steps exceeded\b/i,
		suggestion:
			'Each node counts, in loops and iterations once per pass. Split the workflow, process fewer items in a run, or raise WORKFLOW_MAX_EXECUTION_STEPS in the Dify settings.',
	},
	{
		pattern: /\bMaximum execution time exceeded\b/i,
		suggestion:
			'Split the workflow, process less in a run, or raise WORKFLOW_MAX_EXECUTION_TIME (seconds) in the Dify settings.',
	},
	{
		pattern: /\blength of output variable\b.{1,200}\bcharacters\b/,
		suggestion:
			'Let the code node return less text, or raise CODE_MAX_STRING_LENGTH in the Dify settings.',
	},
	{
		pattern: /\blength of output variable\b.{1,200}\belements\b/,
		suggestion:
			'Let the code node return a shorter list, or raise the limit for its type in the Dify settings: CODE_MAX_STRING_ARRAY_LENGTH, CODE_MAX_OBJECT_ARRAY_LENGTH or CODE_MAX_NUMBER_ARRAY_LENGTH.',
	},
	{
		pattern: /\bOutput variable\b.{1,200}\bout of range\b/,
		suggestion:
			'Return the number as text, or raise CODE_MAX_NUMBER and CODE_MIN_NUMBER in the Dify settings.',
	},
	{
		pattern: /\bOutput variable\b.{1,200}\btoo high precision\b/,
		suggestion:
			'Round the number in the code node, or raise CODE_MAX_PRECISION in the Dify settings.',
	},
	{
		pattern: /\bDepth limit \$?\d{1,9} reached\b/,
		suggestion:
			'Let the code node return a flatter object, or raise CODE_MAX_DEPTH in the Dify settings.',
	},
	{
		pattern:
			/\bmaximum context length\b|\bcontext_length_exceeded\b|\bexceeds?\b.{0,40}\bcontext (?:length|size|window)\b|\bprompt is too long\b/i,
		suggestion:
			'The prompt is too long for the model: shorten the query, the inputs and files, let the app send less (memory, retrieved chunks), or select a model with a larger context.',
	},
	{ pattern: /\binvoke tool\b/, suggestion: TOOL_ADVICE },
	{
		pattern: /\bInvalid plugin id\b/,
		suggestion:
			'Dify does not know a plugin that the app uses by this name: install it (Plugins), or select the model or tool again in the app, and publish it.',
	},
];

function findAdvice({ type, text, nodeType }: DifyMessage): Texts | undefined {
	const row = ADVICE.find(({ pattern }) => pattern.test(text));
	if (row !== undefined) return { suggestion: row.suggestion };
	return type === 'runFailed' && nodeType === 'tool' ? { suggestion: TOOL_ADVICE } : undefined;
}

const FILE_COUNT =
	/(?:must be less than|exceeds the maximum limit(?: of)?|exceeds? (?:the )?limit(?: of)?) (\d{1,6})(?: files)?/i;

/** A message of Dify, with what is known of it. */
interface DifyMessage {
	/** The error type. */
	type: string;
	/** Dify's code. */
	code: string | undefined;
	/** Without secrets. */
	text: string;
	/** Type of the node that failed, if it is known. */
	nodeType?: string;
}

/**
 * Texts of an error that say more than Dify's message.
 */
export function explainMessage(message: DifyMessage): Texts {
	const { type, code, text } = message;
	return (
		EXPLANATIONS.get(code ?? '')?.(text) ??
		EXPLANATIONS.get(type)?.(text) ??
		explainFileCount(text) ??
		explainVariableType(text) ??
		findAdvice(message) ??
		{}
	);
}

function explainFileCount(text: string) {
	const limit = /\bfiles\b/.test(text) ? FILE_COUNT.exec(text)?.[1] : undefined;
	if (limit === undefined) return undefined;
	return {
		suggestion: `Send at most ${limit} files. If the app allows more, raise WORKFLOW_FILE_UPLOAD_LIMIT in the Dify settings, which limits all forms and chats.`,
	};
}

/** What a conversation variable accepts. */
interface VariableType {
	/** Dify's name. */
	pattern: RegExp;
	/** As in "Set it to a whole number". */
	example: string;
}

const VARIABLE_TYPES: readonly VariableType[] = [
	{ pattern: /^integer/, example: 'a whole number, such as 2' },
	// Dify compares the value with the present one, not with the type of the variable.
	{
		pattern: /^float/,
		example: 'a number with decimals, such as 2.5',
	},
	{ pattern: /^number/, example: 'a number' },
	{ pattern: /^string/, example: 'text: as JSON, in quotation marks' },
	{ pattern: /^(?:array|list)/, example: 'a JSON list, such as ["a", "b"]' },
	{ pattern: /^(?:object|dict)/, example: 'an object, such as {"name": "x"}' },
	{ pattern: /^bool/, example: 'true or false' },
];

/** A value of another type than that of its variable (docs/protocols/dify.md 2.8). */
function explainVariableType(text: string) {
	const [, expected = ''] =
		/^Type mismatch: variable '.{1,200}?' expects (\w{1,20})/.exec(text) ?? [];
	const row = VARIABLE_TYPES.find(({ pattern }) => pattern.test(expected));
	if (row === undefined) return undefined;
	return {
		suggestion: `Set it to ${row.example}. The type of a variable is defined in the app in Dify.`,
	};
}

/** Nodes that request a URL of the workflow or of an external knowledge base, not of a file that was sent. */
const REQUESTING_NODES = new Set<string | undefined>([
	'http-request',
	'tool',
	'knowledge-retrieval',
]);

const BLOCKED_URL =
	/^(?:Run failed: )?Access to '([^'\s]{1,500})' was blocked by SSRF protection\b/;

/** Dify also gives up on servers that respond, and only some versions tell the status. */
const GIVEN_UP_URL =
	/^(?:Run failed: )?Reached maximum retries (?:\(\d+\) )?for URL (\S{1,500})(?:.{0,40}\bHTTP (\d{3})\b)?/;

/** Explains a node of a workflow that failed to request its own URL. */
export function explainFailedRequest(node: WorkflowNode, text: string): Texts | undefined {
	if (!REQUESTING_NODES.has(node.type)) return undefined;
	const blockedUrl = BLOCKED_URL.exec(text)?.[1];
	if (blockedUrl !== undefined) {
		return {
			suggestion:
				'Dify blocks private and local addresses. Use a public address, or allow this one in the SSRF proxy of Dify.',
		};
	}
	const [, url, status] = GIVEN_UP_URL.exec(text) ?? [];
	if (url === undefined) return undefined;
	return {
		suggestion:
			status === undefined
				? 'Dify gives up on a server that responds with 429 or 5xx: check the log of that server. If it got no request, check the URL: Dify requests it from its own containers, through its SSRF proxy, where localhost and private addresses may be blocked.'
				: 'Dify reached the server, which responded with this status each time: check the log of that server.',
	};
}

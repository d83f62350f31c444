/**
 * What the tasks that make images have in common: the options, the request, and the images of its response. Each task adds its
 * prompt, and the images that it is about.
 */
import type { ErrorContext } from '../errors/create-error';
import { createServerError } from '../errors/create-error';
import { getImageSize } from '../files/image-size';
import { inspectImage } from '../files/received-media';
import type { FormFile } from '../http/multipart';
import { toErrorContext } from '../http/request-errors';
import type { FieldTable } from '../fields/field';
import type { InputIssue, RequestField } from '../exchange/request-fields';
import type { ServerTask } from '../errors/lacking-task';
import type { ModelServer, RouteName } from '../servers/types/server-type';
import { TASK_LIMITS } from '../task-limits';
import type { JsonRecord } from '../values/records';
import {
	omitEmpty,
	omitUndefined,
	findList,
	isNonEmpty,
	isRecord,
	asNonEmptyString,
	asRecord,
} from '../values/records';
import { asFiniteNumber } from '../values/numbers';
import type { TaskSettings } from './run-task';
import { readJson } from './read-json';
import { runTask } from './run-task';
import { describeDifference, findDifferences, toSentFields } from '../exchange/differences';

/** What every request for images says. */
export interface ImageRequest {
	prompt: string;
	/** Number of images. */
	count: number;
	/** Width x height in pixels, `512x768`. If empty, the server decides. */
	size: string;
	/** If empty, the server decides. */
	format: '' | 'png' | 'jpeg' | 'webp';
	/** Default: the server decides. */
	seed?: number;
	/** Additional fields of the request. */
	extraBody: JsonRecord;
}

/** A received image. */
export interface GeneratedImage {
	content: Buffer;
	mimeType: string;
	/** Without the period. */
	extension: string;
	/** In pixels, from the header of a PNG, JPEG or WebP; undefined for other formats. */
	width: number | undefined;
	height: number | undefined;
	/** The prompt as the server changed it. */
	revisedPrompt: string | undefined;
	/** The seed, if the server reports it. */
	seed: number | undefined;
}

export interface ImageResult {
	/** At least one. */
	images: GeneratedImage[];
	warnings: string[];
}

/** What a person says about the images that a model makes. */
export const IMAGE_OPTIONS = {
	count: {
		kind: 'number',
		label: 'Number of Images',
		default: 1,
		range: [1, 64],
		isInteger: true,
		description: 'How many images to generate. Each becomes an item.',
	},
	size: {
		kind: 'name',
		label: 'Size',
		placeholder: 'e.g. 768x512',
		description: 'Width x height in pixels. If empty, the server default applies.',
	},
	outputFormat: {
		kind: 'choice',
		label: 'File Format',
		default: 'png',
		choices: { jpeg: 'JPEG', png: 'PNG', webp: 'WebP' },
		description: 'Format to request from models that support it. If not set, the server decides.',
	},
	seed: {
		kind: 'number',
		label: 'Seed',
		default: -1,
		range: [-1],
		isInteger: true,
		description: 'The same seed and prompt give the same image. -1 = random.',
	},
} as const satisfies FieldTable;

/** What a request for images contains, besides its prompt and files. */
export const IMAGE_FIELDS: readonly RequestField[] = [
	{ field: 'n', label: IMAGE_OPTIONS.count.label, canOmit: true, default: 1 },
	{
		field: 'size',
		otherNames: ['resolution', 'image_size', 'image_dimensions'],
		parts: ['width', 'height'],
		label: IMAGE_OPTIONS.size.label,
		canOmit: true,
		getAdvice: adviseSize,
		getInputIssue: checkSize,
	},
	{ field: 'output_format', label: IMAGE_OPTIONS.outputFormat.label, canOmit: true },
	{ field: 'seed', label: IMAGE_OPTIONS.seed.label, canOmit: true },
	// Without it, servers may return the URL of an image, which is not fetched.
	{ field: 'response_format', label: undefined, canOmit: true, isTechnical: true },
];

function checkSize(size: unknown): InputIssue | undefined {
	if (typeof size !== 'string' || /^[1-9]\d{0,4}x[1-9]\d{0,4}$/.test(size)) return undefined;
	return {
		title: `The size "${size}" is not valid`,
		suggestion: 'Enter width x height in pixels, for example 512x768.',
	};
}

/** The row of the prompt, which is never empty. */
export function toPromptRow({
	label,
	whenEmpty,
}: {
	label: string;
	whenEmpty: string;
}): RequestField {
	const getInputIssue = (prompt: unknown): InputIssue | undefined =>
		typeof prompt !== 'string' || prompt.trim()
			? undefined
			: { title: 'The prompt is empty', suggestion: whenEmpty, inputProblem: 'empty' };
	return { field: 'prompt', label, canOmit: false, getInputIssue };
}

/** A task that makes images. */
export interface ImageTask {
	request: ImageRequest;
	task: 'generateImages' | 'editImages';
	route: RouteName;
	/** The task, as servers lack it. */
	serverTask: ServerTask;
	/** A row for each field that is sent. */
	fields: readonly RequestField[];
	/** Sent in a form with the fields. Default: the fields are sent as JSON. */
	files?: readonly FormFile[];
}

/** @throws a `ServerError`, also if the response contains no image. */
export async function requestImages(
	server: ModelServer,
	settings: TaskSettings,
	{ request, task, route, serverTask, fields, files }: ImageTask,
): Promise<ImageResult> {
	const { model } = settings;
	const { prompt, count, size, format, seed, extraBody } = request;
	const body = {
		prompt,
		...omitEmpty({ n: count, size, output_format: format }),
		...omitUndefined({ seed }),
		response_format: 'b64_json',
		...extraBody,
	};
	const {
		value: entries,
		body: sentBody,
		warnings,
	} = await runTask(server, settings, {
		task,
		routes: [route],
		isExpensive: true,
		fields,
		toBody: () => body,
		files,
		extraBody,
		readResponse: async (response) => readImages(await readJson(response)),
		getFacts: ({ serverText }) => ({
			task: () => serverTask,
			isSilentTask: () => true,
			// Ollama (seen: 0.17.4) sends an empty response with status 200 after half a minute.
			isEmptyBody: () => serverText === undefined || undefined,
		}),
	});
	const context = toErrorContext(server, { url: server.getApiUrl(), model });
	const { entries: maxImages } = TASK_LIMITS[task];
	if (entries.length > maxImages)
		throw createServerError('invalidResponse', context, {
			about: {
				resultIssue: { kind: 'tooManyImages', count: entries.length, maximum: maxImages },
			},
		});
	const images = entries.map((entry) => toImage(entry, context));
	if (images.length === 0)
		throw createServerError('emptyResponse', context, {
			about: { resultIssue: { kind: 'noImage' } },
		});
	const differences = findDifferences('images', {
		requested: toSentFields({ requestedFields: body, sentBody }),
		result: { images },
	}).map((difference) => describeDifference(difference));
	return { images, warnings: [...warnings, ...differences] };
}

/** Models halve the size several times: by 64, if they are old. */
const SIZE_STEP = 64;

function isIndivisible(size: string): boolean {
	return size.split('x').some((length) => Number(length) % SIZE_STEP !== 0);
}

function adviseSize(size: unknown): string {
	const isUneven = typeof size === 'string' && isIndivisible(size);
	return `Change "Size" (${String(size)})${isUneven ? `: most models need multiples of ${SIZE_STEP}` : ''}.`;
}

/** The images of a response: OpenAI's, and other lists of images. */
function readImages(json: unknown) {
	const { image, base64 = image } = asRecord(json);
	const list = findList(json, ['data', 'images', 'artifacts', 'output', 'results']) ?? [base64];
	return list.filter(isNonEmpty).map((entry) => (isRecord(entry) ? entry : { image: entry }));
}

function toImage(
	{ b64_json, base64, image, image_url, url, revised_prompt: revised, seed }: JsonRecord,
	context: ErrorContext,
): GeneratedImage {
	const encoded = [b64_json, base64, image].map(asNonEmptyString).find(isNonEmpty);
	const imageUrl = encoded === undefined ? (url ?? asRecord(image_url).url) : undefined;
	const data = (encoded ?? asNonEmptyString(imageUrl))?.split(',').at(-1) ?? '';
	const content = Buffer.from(data, 'base64');
	const media = inspectImage(content);
	if (media.type !== 'media') {
		const bytes =
			media.type === 'other' ? media.description : `${content.byteLength} bytes of an unknown type`;
		throw createServerError('invalidResponse', context, {
			about: {
				resultIssue: {
					kind: 'notAnImage',
					received: imageUrl === undefined ? bytes : 'a URL, which is not fetched',
				},
			},
		});
	}
	const { mimeType, extension } = media.file;
	const size = getImageSize(content);
	return {
		content,
		mimeType,
		extension,
		width: size?.width,
		height: size?.height,
		revisedPrompt: asNonEmptyString(revised),
		seed: asFiniteNumber(seed),
	};
}

/** The chapter of Dify: what its routes, apps and knowledge bases are about. */
import { truncate } from '../../values/text';
import type { Facts, FileObstacle, UnacceptedFiles } from '../facts';
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
		types: ['appFeatureDisabled', 'fileTypeNotAllowed', 'fileRejected', 'requestTooLarge'],
		needs: ['unacceptedFiles'],
		tell: ({ unacceptedFiles }) => describeUnaccepted(unacceptedFiles),
	}),
];

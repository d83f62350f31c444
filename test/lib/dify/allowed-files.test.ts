/** Which files of a message an app takes, for each kind of file and each setting of its upload. */
import {
	assertAcceptedFiles,
	parseAppFileRules,
	parseFieldFileRules,
	selectAllowedFiles,
} from '../../../lib/dify/allowed-files';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import { combine } from '../../support/approved/outcome';
import type { FileCandidate } from '../../../lib/dify/allowed-files';
import { asServerErrorOrThrow } from '../../../lib/errors/server-error';
import path from 'node:path';
import * as fc from 'fast-check';

const MEGABYTE = 1024 * 1024;
const file = (name: string, mimeType = '', size = 10) => ({ name, mimeType, size });

const FILES = [
	file('a.png', 'image/png'),
	file('b', 'image/jpeg', 2 * MEGABYTE + 1),
	file('c.png', 'image/png', 2 * MEGABYTE),
	file('d.mp4', 'video/mp4'),
	file('e.mp3', 'audio/mpeg'),
	file('f.pdf', 'application/pdf', 3 * MEGABYTE + 1),
	file('g.zip', 'application/zip'),
	file('h.ZIP'),
	file('i'),
	file('j.zip', 'application/zip', 3 * MEGABYTE),
	file('k.zip', 'application/zip', 3 * MEGABYTE + 1),
];

const SETTINGS: Readonly<Record<string, object>> = {
	'no settings': {},
	off: { enabled: false },
	'on, all types': { enabled: true },
	images: { enabled: true, allowed_file_types: ['image'] },
	'documents and audio': { enabled: true, allowed_file_types: ['document', 'audio'] },
	'custom .zip': {
		enabled: true,
		allowed_file_types: ['custom'],
		allowed_file_extensions: ['.ZIP', ' png '],
	},
	'custom without endings': { enabled: true, allowed_file_types: ['custom'] },
	'images and custom .pdf': {
		enabled: true,
		allowed_file_types: ['image', 'custom'],
		allowed_file_extensions: ['pdf'],
	},
	'two per message': { enabled: true, number_limits: 2 },
	'none per message': { enabled: true, number_limits: 0 },
	'URLs only': { enabled: true, allowed_file_upload_methods: ['remote_url'] },
	'images as URLs only': { enabled: true, image: { transfer_methods: ['remote_url'] } },
	'images uploaded, others as URLs': {
		enabled: true,
		allowed_file_upload_methods: ['remote_url'],
		image: { transfer_methods: ['local_file'] },
	},
};
const LIMITS: Readonly<Record<string, object>> = {
	'no limits': {},
	limits: {
		image_file_size_limit: 2,
		file_size_limit: 3,
		audio_file_size_limit: 0,
		video_file_size_limit: '1',
	},
};

const settings = combine({ upload: Object.keys(SETTINGS), limit: Object.keys(LIMITS) }).map(
	({ upload, limit }) => ({
		name: `${upload}, ${limit}`,
		parameters: { file_upload: SETTINGS[upload], system_parameters: LIMITS[limit] },
		perMessage: (SETTINGS[upload] as { number_limits?: number }).number_limits || Infinity,
	}),
);

test('each file with each setting: its type, or why it is not sent', () => {
	const outcomes = settings.flatMap(({ name, parameters }) =>
		FILES.map((one) => {
			const { allowed, unsent } = selectAllowedFiles([one], parameters);
			const outcome = allowed.length > 0 ? allowed[0]!.type : `not sent: ${unsent[0]!.reason}`;
			return { subject: name, place: one.name, outcome };
		}),
	);
	expectApproved(
		path.join(__dirname, 'allowed-files.approved.txt'),
		joinPlaces(outcomes),
		'A file is sent only if the app takes it, and otherwise told',
	);
});

test.each(settings)(
	'several files are judged as each of them alone, up to the number of a message: $name',
	({ parameters, perMessage }) => {
		fc.assert(
			fc.property(fc.shuffledSubarray(FILES), (files) => {
				const alone = files.map((one) => selectAllowedFiles([one], parameters));
				const taken = alone.flatMap(({ allowed }) => allowed);
				const { allowed, unsent } = selectAllowedFiles(files, parameters);
				expect(allowed).toEqual(taken.slice(0, perMessage));
				const left = files.filter((one) => !allowed.some(({ file }) => file === one));
				expect(unsent.map(({ name }) => name).sort()).toEqual(left.map(({ name }) => name).sort());
			}),
		);
	},
);

/** What is told of files that the node selects; undefined: they are sent. */
function refuse(files: readonly FileCandidate[], upload: object, formField?: string) {
	const rules =
		formField === undefined
			? parseAppFileRules({ file_upload: upload, system_parameters: LIMITS.limits })
			: parseFieldFileRules({ type: 'file-list', settings: { ...upload } });
	try {
		assertAcceptedFiles(files, { rules, formField });
		return undefined;
	} catch (error) {
		const { type, message, known } = asServerErrorOrThrow(error);
		expect(message.length).toBeLessThan(400);
		return { type, message, names: known.unacceptedFiles!.names };
	}
}

test('files that the node selects are refused as those of a chat are not sent, unless their type is a guess', () => {
	for (const upload of Object.values(SETTINGS))
		for (const one of FILES) {
			const { unsent } = selectAllowedFiles([one], {
				file_upload: upload,
				system_parameters: LIMITS.limits,
			});
			const refusal = refuse([{ ...one, origin: 'upload' }], upload);
			const isGuess = one.name === 'i';
			if (unsent[0] === undefined) expect(refusal).toBeUndefined();
			else if (refusal?.type === 'appFeatureDisabled')
				expect(refusal.message).toContain('disabled');
			else if (!isGuess) expect(refusal?.message).toContain(unsent[0].reason);
			expect(refuse([{ ...one, origin: 'dify' }], { ...upload, enabled: true })).toBeUndefined();
		}
});

const upload = (name: string): FileCandidate => ({ name, origin: 'upload' });

test.each([
	{
		files: [upload('a.zip')],
		settings: { enabled: true, allowed_file_types: ['image', 'document'] },
		refusal: {
			type: 'fileTypeNotAllowed',
			message: 'Dify would not accept "a.zip": the app accepts only images and documents',
		},
	},
	{
		files: [upload('a.png'), upload('b.png')],
		settings: { enabled: true, number_limits: 1 },
		refusal: {
			type: 'fileRejected',
			message: 'The app accepts 1 file, but 2 were selected: "a.png", "b.png"',
		},
	},
	{
		files: [upload('a.png'), upload('b.png')],
		settings: { max_length: 1 },
		formField: 'Docs',
		refusal: {
			type: 'fileRejected',
			message: 'The form field "Docs" accepts 1 file, but 2 were selected: "a.png", "b.png"',
		},
	},
	{
		files: [upload('a.mp3')],
		settings: { allowed_file_types: ['image'] },
		formField: 'Docs',
		refusal: {
			type: 'fileTypeNotAllowed',
			message: 'Dify would not accept "a.mp3": the form field "Docs" accepts only images',
		},
	},
	{
		files: [{ name: 'a.png', origin: 'url' as const }],
		settings: { enabled: true, allowed_file_upload_methods: ['local_file'] },
		refusal: {
			type: 'fileRejected',
			message: 'Dify would not accept "a.png": the app accepts no URLs of files',
		},
	},
	// The URL of a page may return an image.
	{
		files: [{ name: 'image', origin: 'url' as const }],
		settings: { enabled: true, allowed_file_types: ['image'] },
		refusal: undefined,
	},
	{
		files: [{ name: 'notes.log', mimeType: 'text/plain', origin: 'upload' as const }],
		settings: { enabled: true, allowed_file_types: ['document'] },
		refusal: undefined,
	},
	// Without a limit.
	{
		files: [upload('a.png'), upload('b.png')],
		settings: { enabled: true, number_limits: 0 },
		refusal: undefined,
	},
])('$files with $settings', ({ files, settings, formField, refusal }) => {
	const found = refuse(files, settings, formField);
	if (refusal === undefined) expect(found).toBeUndefined();
	else expect(found).toMatchObject(refusal);
});

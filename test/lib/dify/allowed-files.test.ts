/** Which files of a message an app takes, for each kind of file and each setting of its upload. */
import { getAppFileTypes, selectAllowedFiles } from '../../../lib/dify/allowed-files';
import { expectApproved } from '../../support/approved/approved-table';
import { combine, getOutcome } from '../../support/approved/outcome';
import path from 'node:path';

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

test('each file with each setting: its type, or why it is not sent', () => {
	const settings = combine({ upload: Object.keys(SETTINGS), limit: Object.keys(LIMITS) });
	const rows = settings.flatMap(({ upload, limit }) => {
		const parameters = { file_upload: SETTINGS[upload], system_parameters: LIMITS[limit] };
		const alone = FILES.map((one) => {
			const { allowed, unsent } = selectAllowedFiles([one], parameters);
			const outcome = allowed.length > 0 ? allowed[0]!.type : `not sent: ${unsent[0]!.reason}`;
			return { input: `${upload}, ${limit}: ${one.name} ${one.mimeType} ${one.size}`, outcome };
		});
		const { allowed, unsent } = selectAllowedFiles(FILES, parameters);
		const sent = allowed.map((one) => one.file.name).join(' ');
		const names = unsent.map(({ name }) => name).join(' ');
		const types = getOutcome(() => getAppFileTypes(parameters) ?? 'any');
		const all = {
			input: `${upload}, ${limit}: all`,
			outcome: `sent ${sent}; not ${names}; ${types}`,
		};
		return [...alone, all];
	});
	expectApproved(
		path.join(__dirname, 'allowed-files.approved.txt'),
		rows,
		'A file is sent only if the app takes it, and otherwise told',
	);
});

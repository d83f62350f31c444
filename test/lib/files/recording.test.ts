/** Files that are transcribed, and those that contain no sound. */
import path from 'node:path';
import { assertRecording } from '../../../lib/files/recording';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';
import { describeError } from '../../support/approved/outcome';

const NAMES = ['talk.wav', 'talk.MP3', 'notes.txt', 'data.json', 'talk', 'film.mp4', 'a.pdf'];
const TYPES = [
	'audio/wav',
	'video/mp4',
	'image/png',
	'image/svg+xml',
	'text/plain',
	'text/html',
	'application/json',
	'application/pdf',
	'application/zip',
	'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
	'message/rfc822',
	'application/octet-stream',
];

const check = (file: Parameters<typeof assertRecording>[0]) => {
	try {
		assertRecording(file);
		return 'sent';
	} catch (error) {
		return describeError(error);
	}
};

test('each file is sent, or is named with what it is', () => {
	const rows = TYPES.flatMap((mimeType) =>
		[false, true].flatMap((isMarkup) =>
			NAMES.map((name) => ({
				subject: `${mimeType}${isMarkup ? ', markup' : ''}`,
				place: name,
				outcome: check({ name, mimeType, isMarkup }).replace(`"${name}"`, 'NAME'),
			})),
		),
	);
	const renamed = check({ name: 'a.png', declaredName: 'talk.wav', mimeType: 'image/png' });
	expectApproved(
		path.join(__dirname, 'recording.approved.txt'),
		[...joinPlaces(rows), { input: 'a.png, which was talk.wav', outcome: renamed }],
		'Only sound is transcribed',
	);
});

import { createServerError } from '../../../lib/errors/create-error';
import { withFileNames } from '../../../lib/files/file-errors';

const FILE = {
	name: 'talk.wav',
	mimeType: 'audio/wav',
	size: 40_000_000,
	head: Buffer.from('RIFF1234WAVE'),
};

test.each(['requestTooLarge', 'badRequest', 'promptTooLong'] as const)(
	'an error of type %s names the files in its details, and keeps its type and advice',
	(type) => {
		const error = createServerError(type, { url: 'http://gpu' }, { serverText: 'file too large' });
		const named = withFileNames(error, [FILE]);
		expect(named.detail).toContain('Files sent: "talk.wav" (audio/wav, 40 MB)');
		expect(named).toMatchObject({ type, suggestion: error.suggestion });
	},
);

import { createServerError } from '../../../lib/errors/create-error';
import {
	describeFile,
	describeUnnamedFile,
	getContentType,
	withSentFiles,
} from '../../../lib/files/file-errors';

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
		const named = withSentFiles(error, [FILE]);
		expect(named.detail).toContain('File sent: "talk.wav" (audio/wav, 40 MB)');
		expect(named).toMatchObject({ type, suggestion: error.suggestion });
	},
);

test.each(['modalityUnsupported', 'serverError', 'streamError'] as const)(
	'an error of type %s names all files, in their order',
	(type) => {
		const error = createServerError(type, {}, { inputWords: { title: 'No', detail: 'It failed' } });
		const other = { ...FILE, name: 'b.txt', mimeType: '', size: 3, head: Buffer.from('') };
		expect(withSentFiles(error, [FILE, other]).detail).toBe(
			'It failed. Files sent: "talk.wav" (audio/wav, 40 MB), "b.txt" (unknown type, 3 bytes)',
		);
		expect(withSentFiles(error, [])).toBe(error);
	},
);

test.each(['unauthorized', 'busy', 'modelLoading', 'aborted', 'firstTokenTimeout'] as const)(
	'an error of type %s is not about files',
	(type) => {
		const error = createServerError(type, {});
		expect(withSentFiles(error, [FILE])).toBe(error);
	},
);

test.each([
	{
		title: 'as declared',
		file: FILE,
		described: '"talk.wav" (audio/wav, 40 MB)',
		unnamed: 'a file of type audio/wav',
		type: 'audio/wav',
	},
	{
		title: 'declared with parameters',
		file: { ...FILE, mimeType: 'Audio/WAV; codecs=1' },
		described: '"talk.wav" (audio/wav, 40 MB)',
		unnamed: 'a file of type audio/wav',
		type: 'audio/wav',
	},
	{
		title: 'of another content',
		file: { ...FILE, mimeType: 'audio/mpeg' },
		described: '"talk.wav" (audio/wav by its content, 40 MB)',
		unnamed: 'a file of type audio/mpeg (audio/wav by its content)',
		type: 'audio/wav',
	},
	{
		title: 'of an unknown content',
		file: { ...FILE, head: Buffer.from([0, 1, 2, 3]) },
		described: '"talk.wav" (audio/wav, 40 MB)',
		unnamed: 'a file of type audio/wav',
		type: 'audio/wav',
	},
	{
		title: 'without any type',
		file: { ...FILE, mimeType: '', head: Buffer.from([0, 1, 2, 3]) },
		described: '"talk.wav" (unknown type, 40 MB)',
		unnamed: 'a file of type unknown',
		type: 'unknown',
	},
])('a file $title is described', ({ file, described, unnamed, type }) => {
	expect(describeFile(file)).toBe(described);
	expect(describeUnnamedFile(file)).toBe(unnamed);
	expect(getContentType(file)).toBe(type);
});

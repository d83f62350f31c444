import {
	appFileRules,
	checkedUrl,
	checkFiles,
	type FileRules,
	fileTypeOf,
	nameInUrl,
	sizeLimitsOf,
} from '../../../../lib/dify/files/files';
import { uploadName } from '../../../../lib/http/multipart';
import { clientOf, startApp } from '../client';

const MEGABYTE = 1024 * 1024;

describe('which type a file has', () => {
	test.each([
		['a.PNG', 'application/octet-stream', 'image'],
		['a.webm', 'audio/webm', 'video'],
		['a.mpga', undefined, 'audio'],
		['a.pdf', 'application/pdf', 'document'],
		['photo', 'image/heic', 'image'],
		['voice', 'audio/ogg', 'audio'],
		['a.zip', undefined, 'document'],
	] as const)('%s (%s) is %s', (name, mime, type) => {
		expect(fileTypeOf(name, mime)).toBe(type);
	});

	test('where the app takes only others, custom if it takes that', () => {
		expect(fileTypeOf('a.zip', undefined, { types: ['image', 'custom'] })).toBe('custom');
		expect(fileTypeOf('a.zip', undefined, { types: ['image'] })).toBe('document');
	});
});

describe('what an app takes', () => {
	const rules = (over: Partial<FileRules> = {}): FileRules => ({
		where: 'the app',
		enabled: true,
		...over,
	});
	const file = { name: 'a.png', type: 'image', size: 10 } as const;

	test('is read from its parameters ()', async () => {
		const sim = await startApp(
			{ mode: 'chat', fileUpload: { enabled: true, types: ['image', 'document'], number: 2 } },
			{ limits: { image: 7 } },
		);
		const parameters = await clientOf(sim).get('/parameters');
		expect(appFileRules(parameters)).toEqual({
			where: 'the app',
			enabled: true,
			types: ['image', 'document'],
			methods: ['local_file', 'remote_url'],
			most: 2,
		});
		expect(sizeLimitsOf(parameters)).toEqual({ image: 7, video: 100, audio: 50, other: 15 });
	});

	test('versions that know pictures only', () => {
		const parameters = {
			file_upload: { image: { enabled: true, number_limits: 3, transfer_methods: ['remote_url'] } },
		};
		expect(appFileRules(parameters)).toEqual({
			where: 'the app',
			enabled: true,
			types: ['image'],
			methods: ['remote_url'],
			most: 3,
		});
		expect(appFileRules({})).toMatchObject({ enabled: false });
	});

	test('is checked before anything is sent, in words', () => {
		const kinds = (
			files: Parameters<typeof checkFiles>[0],
			over: Partial<FileRules>,
			sizes = {},
		) => {
			try {
				checkFiles(files, rules(over), sizes);
				return 'fine';
			} catch (error) {
				return (error as { kind: string }).kind;
			}
		};
		expect(kinds([file], {})).toBe('fine');
		expect(kinds([], { enabled: false })).toBe('fine');
		expect(kinds([file], { enabled: false })).toBe('featureOff');
		expect(kinds([file, file], { most: 1 })).toBe('fileRejected');
		expect(kinds([file], { types: ['document'] })).toBe('fileType');
		expect(
			kinds([{ ...file, name: 'a.zip', type: 'custom' }], {
				types: ['custom'],
				extensions: ['csv'],
			}),
		).toBe('fileType');
		expect(
			kinds([{ ...file, name: 'a.CSV', type: 'custom' }], {
				types: ['custom'],
				extensions: ['csv'],
			}),
		).toBe('fine');
		expect(kinds([file], { methods: ['remote_url'] })).toBe('fileRejected');
		expect(kinds([{ ...file, size: undefined }], { methods: ['local_file'] })).toBe('fileRejected');
		expect(kinds([{ ...file, size: 2 * MEGABYTE }], {}, { image: 1 })).toBe('fileTooLarge');
		expect(kinds([{ ...file, size: 2 * MEGABYTE }], {}, { other: 1 })).toBe('fine');
		expect(
			kinds([{ ...file, name: 'a.pdf', type: 'document', size: 2 * MEGABYTE }], {}, { other: 1 }),
		).toBe('fileTooLarge');
	});

	test('URLs and names', () => {
		expect(checkedUrl(' https://example.com/a.png ')).toBe('https://example.com/a.png');
		for (const url of ['file:///etc/passwd', 'example.com/a.png', '', 'https://'])
			expect(() => checkedUrl(url)).toThrow('not valid');
		expect(nameInUrl('https://x/y/cat.png?sign=1#a')).toBe('cat.png');
		expect(uploadName('a\u0000b.txt')).toBe('a_b.txt');
	});
});

import { toDifyFileType } from '../../../lib/dify/file-types';
import { getFileNameFromUrl } from '../../../lib/dify/file-references';

const fromUrl = (url: string, allowedTypes?: string[]) =>
	toDifyFileType({ name: getFileNameFromUrl(url) }, allowedTypes);

test.each([
	['https://drive.example/download?id=1', ['image'], 'image'],
	['https://bucket.example/a1b2c3?X-Amz-Signature=abc.png', ['audio'], 'audio'],
	['https://files.example/get.php?f=7', ['video'], 'video'],
	['https://files.example/v1.2', ['image'], 'image'],
	['https://files.example/7', ['custom'], 'custom'],
	['https://files.example/7', ['image', 'document'], 'document'],
	['https://files.example/7', undefined, 'document'],
	['https://files.example/a.pdf', ['image'], 'document'],
	['https://files.example/a.png', ['document'], 'image'],
	['https://files.example/a.xyz', ['image', 'custom'], 'custom'],
])('%s in an app that allows %j is sent as %s', (url, allowedTypes, type) => {
	expect(fromUrl(url, allowedTypes)).toBe(type);
});

test('a MIME type decides before the only allowed type', () => {
	expect(toDifyFileType({ name: 'file', mimeType: 'application/pdf' }, ['image'])).toBe('document');
});

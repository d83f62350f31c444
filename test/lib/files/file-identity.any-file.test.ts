/** Files of each content under many names, endings and types: the name and the type under which they are sent. */
import path from 'node:path';
import { identifyFile } from '../../../lib/files/file-identity';
import { expectApproved, joinPlaces } from '../../support/approved/approved-table';

const latin1 = (text: string) => Buffer.from(text, 'latin1');

const CONTENTS: Readonly<Record<string, Buffer>> = {
	JPEG: latin1('\xff\xd8\xff\xe0\0\x10JFIF'),
	MP4: latin1('\0\0\0 ftypisom\0\0\x02\0'),
	'short text': Buffer.from('Hello, world'),
	'long text': Buffer.from('Hello, world. '.repeat(10)),
	HTML: Buffer.from('<!DOCTYPE html><html><body>Please log in</body></html>'),
	'unknown bytes': latin1('\0\x01\x02\x03'),
};

const NAMES = [
	'a',
	'',
	'a.',
	'a.JPG',
	'a.png',
	'a.htm',
	'a.xyz',
	'a.php',
	'a.jpg.tmp',
	'a.jpg.png',
	'a v1.2',
];

/** Endings and types that n8n declares. */
const DECLARED: ReadonlyArray<readonly [extension: string | undefined, mimeType: string]> = [
	[undefined, ''],
	[undefined, 'application/octet-stream'],
	[undefined, 'image/jpeg'],
	[undefined, 'text/html; charset=utf-8'],
	[undefined, 'audio/mp4'],
	['jpeg', ''],
	['.JPEG', 'image/jpeg'],
	['htm', 'text/html'],
	['m4v', 'video/mp4'],
	['txt', 'text/markdown'],
];

test('each file has the name and the type under which it is sent', () => {
	const outcomes = Object.entries(CONTENTS).flatMap(([content, head]) =>
		NAMES.flatMap((name) =>
			DECLARED.map(([extension, mimeType]) => {
				const file = { name, mimeType, head, ...(extension !== undefined && { extension }) };
				const identity = identifyFile(file);
				const { warnings, isMarkup = false } = identity;
				const told = warnings.length > 0 ? ` (${warnings.join(' ')})` : '';
				return {
					subject: `${content}, "${name}"`,
					place: [extension, mimeType].filter(Boolean).join(' ') || 'nothing',
					outcome: `${identity.name} ${identity.mimeType}${isMarkup ? ' markup' : ''}${told}`,
				};
			}),
		),
	);
	expectApproved(
		path.join(__dirname, 'file-identity.any-file.approved.txt'),
		joinPlaces(outcomes),
		'A file is sent under the type that its content and name agree on',
	);
});

/** How users name files: texts of a field, URLs, file objects, and the origins that files may come from. */
import { describeDownloadError, parseOrigins } from '../../../lib/dify/download-file';
import { createDifyError } from '../../../lib/dify/create-error';
import { apiPath, PathSegment } from '../../../lib/dify/api-path';
import {
	getFileNameFromUrl,
	parseFileUrl,
	splitFileNames,
	withTransferMethod,
} from '../../../lib/dify/file-references';
import { expectApproved } from '../../support/approved/approved-table';
import { getOutcome } from '../../support/approved/outcome';
import path from 'node:path';

const TEXTS = [
	'',
	'data',
	' data , other ',
	'http://a/w_300,h_200/cat.png',
	'http://a/b.png, data',
	'http://a/b.png,https://c/d.png',
	'HTTP://a/b.png?x=1,2, http://c',
	'ftp://a/b',
	'http://',
	'https://a/b/c.pdf/?q=x/y#z',
	'https://a',
	'my file.png',
];
const OBJECTS = [
	{ transfer_method: 'x', url: 'u' },
	{ upload_file_id: 'f', url: 'u' },
	{ upload_file_id: '', url: 'u' },
	{ url: 'u', type: 'image' },
	{ transfer_method: '', upload_file_id: 'f' },
	{ type: 'image' },
];
const ID = 'a1111111-2222-4333-8444-55555555555f';

test('each text and each object', () => {
	const texts = TEXTS.flatMap((text) => [
		{ input: `names in "${text}"`, outcome: splitFileNames(text) },
		{ input: `name of "${text}"`, outcome: getFileNameFromUrl(text) },
		{ input: `URL "${text}"`, outcome: getOutcome(() => parseFileUrl(text)) },
		{ input: `origins "${text}"`, outcome: getOutcome(() => parseOrigins(text)) },
	]);
	const objects = OBJECTS.map((file) => ({
		input: JSON.stringify(file),
		outcome: getOutcome(() => withTransferMethod(file)),
	}));
	const paths = [ID, ID.toUpperCase(), ` ${ID} `, '', '..', 'a/b'].flatMap((value) => [
		{ input: `ID "${value}" in a path`, outcome: getOutcome(() => apiPath`/x/${value}/y`) },
		{
			input: `segment "${value}" in a path`,
			outcome: getOutcome(() => apiPath`/x/${new PathSegment(value)}/y`),
		},
	]);
	const downloads = [403, 404, 410, 500, undefined].map((status) => ({
		input: `download with status ${status}`,
		outcome: describeDownloadError(
			createDifyError('fileRejected', { status, inputWords: { title: 'Gone' } }),
		),
	}));
	const rows = [...texts, ...objects, ...paths, ...downloads];
	expectApproved(
		path.join(__dirname, 'file-references.approved.txt'),
		rows,
		"A file is fetched only from the credential's Dify or an allowed origin",
	);
});

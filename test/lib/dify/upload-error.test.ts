/** What a user reads of an upload that failed, wherever it stopped. */
import { createDifyError } from '../../../lib/dify/create-error';
import { explainUploadError } from '../../../lib/dify/upload-error';
import { expectApproved } from '../../support/approved/approved-table';
import { combine, describeError } from '../../support/approved/outcome';
import path from 'node:path';

const ERRORS = {
	closed: createDifyError('closedBeforeResponse'),
	'no response in time': createDifyError('firstTokenTimeout'),
	refused: createDifyError('connectionRefused'),
	...Object.fromEntries(
		[400, 401, 403, 404, 405, 413, 415, 429, 500].map((status) => [
			`status ${status}`,
			createDifyError('fileRejected', { status, inputWords: { title: 'Dify says no' } }),
		]),
	),
	'of the node': new Error('x'),
};

test('each error after each part of a file', () => {
	const cases = combine({
		name: Object.keys(ERRORS) as Array<keyof typeof ERRORS>,
		size: [100, 64 * 1024, 64 * 1024 + 1],
		bytes: [0, 50],
		unreadable: [undefined, { reason: 'the disk is full' }],
	}).filter(({ name, size, bytes, unreadable }) =>
		name === 'closed'
			? unreadable === undefined
			: size === 100 && (bytes === 0) === (unreadable === undefined),
	);
	const rows = cases.map(({ name, size, bytes, unreadable }) => {
		const file = { name: 'a.pdf', mimeType: 'application/pdf', size } as never;
		const state = { bytes, unreadable, idleMs: 120_000 } as never;
		const error = explainUploadError(ERRORS[name], file, state);
		return {
			input: `${name}, ${bytes} of ${size} bytes${unreadable === undefined ? '' : ', unreadable'}`,
			outcome: error === ERRORS[name] ? 'unchanged' : describeError(error),
		};
	});
	expectApproved(
		path.join(__dirname, 'upload-error.approved.txt'),
		rows,
		'A failed upload names the file and where it stopped',
	);
});

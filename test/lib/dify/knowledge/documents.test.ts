/** Documents in each state: whether searches find them, and the requests that delete one or make it available. */
import {
	deleteDocument,
	ensureDocumentAvailable,
	getDocumentId,
	isAvailable,
	isEnabled,
} from '../../../../lib/dify/knowledge/documents';
import { createDifyError } from '../../../../lib/dify/create-error';
import { expectApproved } from '../../../support/approved/approved-table';
import { awaitOutcome, combine, getOutcome } from '../../../support/approved/outcome';
import { createRecordedClient } from '../recorded-client';
import path from 'node:path';

const datasetId = '11111111-2222-4333-8444-555555555555';
const documentId = '22222222-2222-4333-8444-555555555555';
const shorten = (text: string): string =>
	text.replaceAll(datasetId, 'BASE').replaceAll(documentId, 'DOC');

test('each state: available or not, and how it becomes so', async () => {
	const states = combine({
		display_status: [undefined, 'available', 'disabled'],
		indexing_status: ['completed', 'indexing'],
		enabled: [true, false, undefined],
		archived: [true, false],
	});
	const rows = [];
	for (const state of states) {
		const { client, sent } = createRecordedClient();
		await ensureDocumentAvailable(client, datasetId, { id: documentId, ...state });
		const is = [isAvailable(state) && 'available', isEnabled(state) && 'enabled'].filter(Boolean);
		rows.push({
			input: JSON.stringify(state),
			outcome: shorten([is.join(' '), ...sent].join('; ')),
		});
	}
	const missing = createDifyError('notFound', {
		about: { missingObject: { kind: 'document', id: documentId } },
	});
	const deletions = [
		['exists', [undefined]],
		['is missing', [missing]],
		['is archived', [createDifyError('documentArchived', { status: 400 }), undefined]],
		[
			'is archived and then missing',
			[createDifyError('documentArchived', { status: 400 }), missing],
		],
		['is busy', [createDifyError('documentBusy', { status: 400 })]],
	] as const;
	for (const [input, responses] of deletions) {
		const { client, sent } = createRecordedClient({
			[`DELETE /datasets/${datasetId}/documents/${documentId}`]: responses,
		});
		const existed = await awaitOutcome(
			async () => await deleteDocument(client, { datasetId, documentId }),
		);
		rows.push({
			input: `delete one that ${input}`,
			outcome: shorten([...sent, String(existed)].join('; ')),
		});
	}
	for (const id of [documentId, '', undefined, 3])
		rows.push({
			input: `ID ${id}`,
			outcome: shorten(String(getOutcome(() => getDocumentId({ id })))),
		});
	expectApproved(
		path.join(__dirname, 'documents.approved.txt'),
		rows,
		'Only a document that is ready counts as available, and a delete that failed is told',
	);
});

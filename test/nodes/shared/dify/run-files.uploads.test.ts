/** Files of messages, of a workflow and of forms: name, type and kind follow from the bytes, whichever way they go. */
import type { INodeExecutionData } from 'n8n-workflow';

import { binaryFile } from '../../../support/n8n/binary-file';
import { startApp } from '../../../lib/dify/client';
import type { DifySim, FormField } from '../../../simulators/dify';
import { executeWorkflow, REVIEW, START, startWorkflow } from '../../DifyWorkflow/workflow';
import { ALL_FILES, sendMessages } from '../../dify';

const ALL_TYPES = ['image', 'document', 'audio', 'video'];
const FORM: FormField[] = [{ kind: 'file', variable: 'doc', allowedTypes: ALL_TYPES }];
const UPLOAD = { fileUpload: { enabled: true, types: ALL_TYPES, number: 3 } };

interface Way {
	/** How a file gets to Dify. */
	way: string;
	start(): Promise<DifySim>;
	send(sim: DifySim, items: INodeExecutionData[]): Promise<unknown>;
}

const WAYS: readonly Way[] = [
	{
		way: 'a message',
		start: async () => await startApp({ mode: 'chat', ...UPLOAD }),
		send: async (sim, items) => await sendMessages(sim, { items, parameters: ALL_FILES }),
	},
	{
		way: 'the form of a chat',
		start: async () => await startApp({ mode: 'chat', form: FORM }),
		send: async (sim, items) =>
			await sendMessages(sim, {
				items,
				parameters: { inputsMode: 'form', inputs: { value: { doc: 'data' } } },
			}),
	},
	{
		way: 'a workflow',
		start: async () => await startWorkflow({ steps: [START] }, UPLOAD),
		send: async (sim, items) =>
			await executeWorkflow(sim, { items, parameters: { options: ALL_FILES } }),
	},
	{
		way: 'the inputs of a workflow',
		start: async () => await startWorkflow({ steps: [START] }, { form: FORM }),
		send: async (sim, items) =>
			await executeWorkflow(sim, {
				items,
				parameters: { inputsMode: 'json', inputsJson: { doc: 'data' } },
			}),
	},
	{
		way: 'the form of a paused run',
		start: async () => {
			const inputs = [{ output_variable_name: 'doc', type: 'file', allowed_file_types: ALL_TYPES }];
			const sim = await startWorkflow({ steps: [START, { pause: [{ ...REVIEW, inputs }] }] });
			await executeWorkflow(sim);
			return sim;
		},
		send: async (sim, items) => {
			const values = { doc: 'data' };
			const form = { resource: 'form', operation: 'submit', formToken: 'tok', action: 'approve' };
			return await executeWorkflow(sim, { items, parameters: { ...form, values } });
		},
	},
];

interface Row {
	/** What is uploaded. */
	file: string;
	bytes: string;
	name: string;
	mimeType: string;
	/** The ending where n8n has it apart. */
	fileExtension?: string;
	sent: { filename: string; mimeType: string };
	/** Dify's type of the file. */
	type: string;
}

const ROWS: readonly Row[] = [
	{
		file: 'a download whose ending n8n has apart',
		bytes: '%PDF-1.7\n',
		name: 'download',
		mimeType: 'application/pdf',
		fileExtension: 'pdf',
		sent: { filename: 'download.pdf', mimeType: 'application/pdf' },
		type: 'document',
	},
	{
		file: 'a picture under the name of a photo',
		bytes: '\x89PNG\r\n\x1a\n',
		name: 'photo.jpg',
		mimeType: 'image/jpeg',
		sent: { filename: 'photo.png', mimeType: 'image/png' },
		type: 'image',
	},
	{
		file: 'the recording of a phone under the name of a voice note',
		bytes: '\0\0\0 ftypM4A \0\0\0\0',
		name: 'voice.ogg',
		mimeType: 'audio/ogg',
		sent: { filename: 'voice.m4a', mimeType: 'audio/mp4' },
		type: 'audio',
	},
	{
		file: 'a table of a signed link',
		bytes: 'name;city\nAnna;Berlin\n',
		name: 'export?sig=1',
		mimeType: 'text/csv; charset=utf-8',
		sent: { filename: 'export_sig=1.csv', mimeType: 'text/csv' },
		type: 'document',
	},
	{
		file: 'a document, which is a ZIP archive',
		bytes: 'PK\x03\x04\x14\0....word/document.xml',
		name: 'a/b/letter.docx',
		mimeType: 'application/octet-stream',
		sent: {
			filename: 'a_b_letter.docx',
			mimeType: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
		},
		type: 'document',
	},
];

describe.each(WAYS)('in $way', ({ start, send }) => {
	test.each(ROWS)(
		'the type of $file is sent',
		async ({ bytes, name, mimeType, fileExtension, sent, type }) => {
			const sim = await start();
			const data = { ...binaryFile(Buffer.from(bytes, 'latin1'), name, mimeType), fileExtension };
			await send(sim, [{ json: {}, binary: { data } }]);
			const parts = sim.requests.flatMap(({ upload }) => upload?.parts ?? []);
			const files = parts.filter(({ filename }) => filename !== undefined);
			expect(files).toMatchObject([{ ...sent, size: bytes.length }]);
			const body = JSON.stringify(sim.requests.at(-1)!.json);
			expect(body).toContain(`"type":"${type}","transfer_method":"local_file"`);
		},
	);
});

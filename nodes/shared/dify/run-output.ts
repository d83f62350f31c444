/** What a run returns, as output items of a node. */
import type { IBinaryKeyData, IDataObject } from 'n8n-workflow';
import {
	describeDownloadError,
	downloadFile,
	MAX_FILES,
	MAX_FILES_BYTES,
} from '../../../lib/dify/download-file';
import type { DownloadedFile } from '../../../lib/dify/download-file';
import { identifyFile } from '../../../lib/files/file-identity';
import { collectOutputFiles } from '../../../lib/dify/output-files';
import type { RunResult, HumanForm } from '../../../lib/dify/types';
import { omitEmpty, asNonEmptyString, asRecords, isRecord } from '../../../lib/values/records';
import type { DifyCall } from './dify-operation';
import { createDifyError } from '../../../lib/dify/create-error';
import type { ServerError } from '../../../lib/errors/server-error';
import { setOwn } from '../../../lib/values/own-properties';

interface StoredFiles {
	/** Missing if no file was stored. */
	binary?: IBinaryKeyData;
	/** About files that could not be fetched. */
	warnings: string[];
}

/**
 * Stores the files of a run as binary fields "file_0" and so on.
 *
 * @param origins - From which files may be downloaded besides that of the credential.
 */
export async function storeResultFiles(
	call: DifyCall,
	{ workflow, files }: Pick<RunResult, 'workflow' | 'files'>,
	origins: readonly string[],
): Promise<StoredFiles> {
	const client = call.client.withoutKey();
	const binary: IBinaryKeyData = {};
	const warnings: string[] = [];
	let remainingBytes = MAX_FILES_BYTES;
	const outputFiles = collectOutputFiles(workflow?.outputs, files).filter(
		({ url }) => asNonEmptyString(url) !== undefined,
	);
	if (outputFiles.length > MAX_FILES) {
		warnings.push(
			`The run has ${outputFiles.length} files (maximum ${MAX_FILES}), so ${outputFiles.length - MAX_FILES} were not fetched.`,
		);
	}
	for (const file of outputFiles.slice(0, MAX_FILES)) {
		try {
			const { content, name, mimeType } = await downloadFile(client, file, {
				origins,
				maxBytes: remainingBytes,
			});
			remainingBytes -= content.byteLength;
			const { helpers } = call.context;
			setOwn(
				binary,
				`file_${Object.keys(binary).length}`,
				await helpers.prepareBinaryData(content, name, toActualType({ content, name, mimeType })),
			);
		} catch (error) {
			// A failed file must not discard the result of the run.
			warnings.push(
				`The file "${file.filename ?? file.id ?? ''}" could not be fetched: ${describeDownloadError(error)}.`,
			);
		}
	}
	return { ...omitEmpty({ binary }), warnings };
}

/** The declared type if the bytes allow it, otherwise theirs. Of a file without a type, n8n finds one by its name. */
function toActualType({ content, name, mimeType }: DownloadedFile): string | undefined {
	return mimeType && identifyFile({ name, mimeType, head: content }).mimeType;
}

/** A copy without undefined values, which n8n would store. Texts of megabytes are not copied. */
export function toPlainObject(value: object): IDataObject {
	return withoutUndefined(value) as IDataObject;
}

function withoutUndefined(value: unknown): unknown {
	if (Array.isArray(value)) return value.map((inner: unknown) => withoutUndefined(inner) ?? null);
	if (!isRecord(value)) return value;
	return Object.fromEntries(
		Object.entries(value)
			.filter(([, inner]) => inner !== undefined)
			.map(([key, inner]) => [key, withoutUndefined(inner)]),
	);
}

/** A form without what only Dify's own page needs. */
export function toSimpleForm(form: HumanForm): HumanForm {
	return { ...form, displayInUi: undefined, resolvedDefaultValues: undefined };
}

/** Buttons that a hint names. */
const MAX_NAMED_BUTTONS = 10;

/** Hints about a returned run that waits for a person, with the buttons of its forms. */
export function getPauseHints({ status, pause }: RunResult): string[] {
	if (status !== 'paused') return [];
	const forms = pause?.forms ?? [];
	if (forms.length === 0) return ['The run has not ended: it waits in Dify.'];
	return forms
		.filter(({ formToken }) => formToken !== null)
		.map(({ nodeTitle = '', actions }) => {
			const buttons = asRecords(actions).map(({ id }) => String(id));
			const named = buttons.slice(0, MAX_NAMED_BUTTONS).join(', ');
			const title = nodeTitle === '' ? '' : ` (${nodeTitle})`;
			return `The run waits for a person${title}. Answer its form in Dify, or submit it with Dify Workflow (Form: Submit)${named === '' ? '' : ` and one of its buttons: ${named}`}.`;
		});
}

/** Warnings about forms of a run that n8n cannot submit. */
export function getEmailFormWarnings({ pause }: RunResult): string[] {
	const emailForms = (pause?.forms ?? []).filter(({ formToken }) => formToken === null);
	return emailForms.map(
		({ nodeTitle }) =>
			`The form "${nodeTitle ?? ''}" has no token: it is sent by email only and answered there. To submit it from n8n, enable the web app as its delivery method in Dify.`,
	);
}

/** For visitors, who do not know how the app is built. */
const PAUSED = 'This request waits for human input, so there is no response yet.';

/** Tells a chat of a run that waits and has no text: n8n would show that the workflow is set up wrongly. */
export async function showPause(
	{ chatStream }: Pick<DifyCall, 'chatStream'>,
	{ status, text }: RunResult,
): Promise<void> {
	if (status === 'paused' && text.trim() === '') await chatStream?.write(PAUSED);
}

/** Error for a run that unexpectedly pauses for human input. */
export function createPausedError(app: 'chatflow' | 'workflow', result: RunResult): ServerError {
	const nodes = result.pause?.forms.flatMap(({ nodeTitle }) => nodeTitle ?? []) ?? [];
	return createDifyError('runFailed', {
		status: 200,
		about: { runIssue: { kind: 'paused', app, nodes } },
		result,
		retryable: false,
	});
}

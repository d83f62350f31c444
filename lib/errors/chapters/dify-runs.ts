/** The chapter of runs and documents in Dify: what it did not return, or did not do. */
import { formatDuration } from '../../values/duration';
import { formatMegabytes } from '../../values/size';
import type { ErrorType } from '../error-types';
import type { DifyIssue, RunIssue } from '../issues';
import type { Row, Words } from './row';
import { defineRow } from './row';

const OF_DIFY: readonly ErrorType[] = [
	'emptyResponse',
	'invalidResponse',
	'requestTooLarge',
	'fileNotFound',
	'datasetRejected',
];

const OF_RUN: readonly ErrorType[] = ['runFailed', 'runTimeout', 'runQueued', 'aborted'];

export const DIFY_RUN_ROWS: readonly Row[] = [
	defineRow({
		types: OF_DIFY,
		needs: ['difyIssue'],
		tell: ({ difyIssue }) => describeIssue(difyIssue),
	}),
	defineRow({
		types: OF_RUN,
		needs: ['runIssue'],
		tell: ({ runIssue }) => describeRun(runIssue),
	}),
	defineRow({
		types: ['runTimeout'],
		needs: ['slowIndexing'],
		tell: ({ slowIndexing: { documentId, status, afterMs, done, total } }) => {
			const time = toSeconds(afterMs);
			return {
				title: `The document was not indexed within ${time}`,
				detail: `Document ${documentId} is still "${status}" after ${time} (${done} of ${total} chunks)`,
				suggestion:
					'Dify continues indexing: use Get Status to wait for it later, or raise "Wait for Indexing (Seconds)". If it makes no progress, its embedding model may be slow or down.',
			};
		},
	}),
];

function toSeconds(milliseconds: number) {
	return `${Math.round(milliseconds / 1000)} s`;
}

function describeIssue(issue: DifyIssue): Words {
	switch (issue.kind) {
		case 'noObject':
			return { title: 'Dify returned an unexpected response' };
		case 'noList':
			return { title: 'Dify did not return the requested list' };
		case 'noFileId':
			return { title: 'Dify returned no file ID' };
		case 'noDocumentId':
			return { title: 'Dify returned no document ID' };
		case 'noDownloadUrl':
			return {
				title: 'Dify returned no download URL for the document',
				suggestion: 'Only documents that were created from a file can be downloaded.',
			};
		case 'noAudio':
			return {
				title: 'Dify returned no audio',
				suggestion:
					'The message is unknown or has an empty response, or the speech provider returned no audio. Check the message ID, and the model provider log in Dify.',
			};
		case 'notAudio':
			return {
				title: 'The response from Dify is not audio',
				detail: `The response from Dify is not audio, but ${issue.received}`,
				suggestion: 'Check the model provider log in Dify, and that the model generates speech.',
			};
		case 'largeList':
			return {
				title: `The list at ${issue.path} takes more than ${formatMegabytes(issue.maxBytes)} of memory`,
				suggestion: 'Ask for fewer records.',
			};
		case 'longList':
			return {
				title: `The list at ${issue.path} has more than ${issue.pages} pages of ${issue.pageSize} records`,
				suggestion: 'Check that no proxy changes the pages of Dify, or ask for fewer records.',
			};
		case 'largeFiles':
			return {
				title: `it exceeds the total of ${issue.maxBytes / 1024 / 1024} MB for the files of a run. Download it with an HTTP Request node`,
			};
		case 'metadataField':
			return {
				title: `Dify did not create the metadata field "${issue.name}"`,
				suggestion:
					'Check the metadata of the knowledge base in Dify. Another change may be in progress: try again.',
			};
		case 'indexingPaused':
			return {
				title: 'Indexing of the document is paused in Dify',
				suggestion: 'Resume it in Dify, in the document list of the knowledge base.',
			};
	}
}

function describeRun(issue: RunIssue): Words {
	switch (issue.kind) {
		case 'paused':
			return {
				title: `The ${issue.app} is waiting for human input${issue.nodes.length === 0 ? '' : ` (${issue.nodes.join(', ')})`}`,
				suggestion:
					'Submit the form in Dify, or set "When Workflow Pauses" to Return Paused Run and submit the forms of the item with Dify Workflow, resource Form.',
			};
		case 'unreported':
			return {
				title: 'Timed out waiting for the Dify run',
				detail: `Dify has not reported the end of the run ${issue.runId} for ${toSeconds(issue.afterMs)}`,
				suggestion: `The run may still be in progress. Use Follow (resource Run) or Get with the run ID ${issue.runId} to see how it ended. Before Dify 1.15, the record of a stopped run stays "running": check the logs of the app in Dify. To wait longer, raise Total Timeout.`,
			};
		case 'totalTimeout':
			return {
				detail: `The run took longer than ${formatDuration(issue.afterMs)} (Total Timeout)`,
			};
		case 'idleTimeout':
			return {
				detail: `Dify sent ${issue.onlyPings ? 'only pings' : 'nothing'} for ${formatDuration(issue.afterMs)} (Idle Timeout)`,
			};
		case 'cancelled':
			return { detail: `The run was cancelled: ${issue.reason}` };
	}
}

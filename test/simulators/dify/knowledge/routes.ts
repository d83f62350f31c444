import type { Route, UserFrom } from '../routes';
import type { Handler } from '../store';
import * as bases from './bases';
import * as chunks from './chunks';
import * as documents from './documents';
import * as metadata from './metadata';
import { listModels } from './models';
import * as pipelines from './pipelines';
import { retrieve } from './retrieval';

type Row = [method: string, path: string, user: UserFrom, handler: Handler, over?: Partial<Route>];

const json: Partial<Route> = { body: 'json' };
const upload: Partial<Route> = { body: 'upload' };

const BASE = '/datasets/{}';
const DOCUMENT = `${BASE}/documents/{}`;
const SEGMENT = `${DOCUMENT}/segments/{}`;

/** Routes of the knowledge API; fixed paths before patterns. */
export const KNOWLEDGE_ROUTES: Row[] = [
	['GET', '/datasets', 'none', bases.listDatasets],
	['POST', '/datasets', 'none', bases.createDataset, json],
	['POST', '/datasets/pipeline/file-upload', 'none', pipelines.upload, upload],
	['GET', `${BASE}/pipeline/datasource-plugins`, 'none', pipelines.listDatasources],
	['POST', `${BASE}/pipeline/run`, 'none', pipelines.run, json],
	['GET', BASE, 'none', bases.getDataset],
	['PATCH', BASE, 'none', bases.changeDataset, json],
	['DELETE', BASE, 'none', bases.deleteDataset],
	['POST', `${BASE}/(?:retrieve|hit-testing)`, 'none', retrieve, json],
	['POST', `${BASE}/document/create[-_]by[-_]text`, 'none', documents.createByText, json],
	['POST', `${BASE}/document/create[-_]by[-_]file`, 'none', documents.createByFile, upload],
	['GET', `${BASE}/documents`, 'none', documents.listDocuments],
	['GET', `${BASE}/documents/*/indexing-status`, 'none', documents.indexingStatus],
	['PATCH', `${BASE}/documents/status/*`, 'none', documents.documentStatus, json],
	['POST', `${BASE}/documents/metadata`, 'none', metadata.setMetadata, json],
	['GET', DOCUMENT, 'none', documents.getDocument],
	['DELETE', DOCUMENT, 'none', documents.deleteDocument],
	['GET', `${DOCUMENT}/download`, 'none', documents.downloadDocument],
	['GET', `${DOCUMENT}/segments`, 'none', chunks.listSegments],
	['POST', `${DOCUMENT}/segments`, 'none', chunks.createSegments, json],
	['GET', SEGMENT, 'none', chunks.oneSegment],
	['POST', SEGMENT, 'none', chunks.oneSegment, json],
	['DELETE', SEGMENT, 'none', chunks.oneSegment],
	['GET', `${BASE}/metadata`, 'none', metadata.listFields],
	['POST', `${BASE}/metadata`, 'none', metadata.createField, json],
	['GET', '/workspaces/current/models/model-types/*', 'none', listModels],
];

// Which personal data is kept where, what for and how long: as the server's register says.

import { useQuery } from "@tanstack/react-query";
import { personalDataQuery } from "../../api/queries";
import type { PersonalData } from "../../api/types";
import { Failed, Skeleton } from "../../components/states";
import { m } from "../../messages";
import page from "../page.module.css";
import css from "./privacy.module.css";

export function Register() {
  const register = useQuery(personalDataQuery);
  if (register.isError) return <Failed what={m.privacy.register} error={register.error} retry={() => void register.refetch()} />;
  if (!register.data) {
    return (
      <div aria-busy="true" aria-label={m.common.loading} role="status">
        <Skeleton height={640} style={{ borderRadius: 8 }} />
      </div>
    );
  }
  const stored = register.data.filter((line) => line.in_database);
  const elsewhere = register.data.filter((line) => !line.in_database);
  return (
    <>
      <section className={page.section}>
        <h2>{m.privacy.inDatabase}</h2>
        <Lines lines={stored} />
      </section>
      <section className={page.section}>
        <h2>{m.privacy.elsewhere}</h2>
        <Lines lines={elsewhere} />
      </section>
    </>
  );
}

function Lines({ lines }: { lines: PersonalData[] }) {
  return (
    <ul className={`${page.panel} ${css.lines}`}>
      {lines.map((line) => (
        <li key={line.name}>
          <div className={css.what}>
            <h3>{line.title}</h3>
            <p>{line.what}</p>
          </div>
          <dl className={page.facts}>
            <dt>{m.privacy.why}</dt>
            <dd>{line.why}</dd>
            <dt>{m.privacy.kept}</dt>
            <dd>{line.kept}</dd>
            <dt>{m.privacy.whenErased}</dt>
            <dd>
              {m.privacy.fates[line.fate] ?? line.fate}
              {line.fate_means && ` ${line.fate_means}`}
            </dd>
          </dl>
        </li>
      ))}
    </ul>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useParams } from "@tanstack/react-router";
import { sessionQuery } from "../../api/queries";
import { NotFound } from "../../components/states";
import { m } from "../../messages";
import page from "../page.module.css";

/** The organisation, for those who administer it; for everybody else it is not there. */
export function AdministrationFrame() {
  const { organisationId } = useParams({ from: "/app/administration/$organisationId" });
  const { data: session } = useQuery(sessionQuery);
  const organisation = session?.organisations.find(({ id }) => id === organisationId);
  if (session && (!organisation || organisation.role === "member" || organisation.withheld)) return <NotFound />;
  return (
    <>
      <header className={page.head}>
        <h1 className="truncate">
          {m.administration.title}
          {organisation && `: ${organisation.name}`}
        </h1>
      </header>
      <nav className={page.tabs} aria-label={m.administration.title}>
        <Link className={page.tab} to="/administration/$organisationId/people" params={{ organisationId }}>
          {m.administration.people}
        </Link>
        <Link className={page.tab} to="/administration/$organisationId/productions" params={{ organisationId }}>
          {m.administration.productions}
        </Link>
        <Link className={page.tab} to="/administration/$organisationId/service-accounts" params={{ organisationId }}>
          {m.serviceAccounts.title}
        </Link>
        <Link className={page.tab} to="/administration/$organisationId/mail" params={{ organisationId }}>
          {m.administration.mail}
        </Link>
        {organisation?.role === "owner" && (
          <Link className={page.tab} to="/administration/$organisationId/sign-on" params={{ organisationId }}>
            {m.signOn.title}
          </Link>
        )}
        <Link className={page.tab} to="/administration/$organisationId/security" params={{ organisationId }}>
          {m.administration.security}
        </Link>
        {organisation?.role === "owner" && (
          <Link className={page.tab} to="/administration/$organisationId/support" params={{ organisationId }}>
            {m.support.title}
          </Link>
        )}
        <Link className={page.tab} to="/administration/$organisationId/privacy" params={{ organisationId }}>
          {m.privacy.title}
        </Link>
        <Link className={page.tab} to="/administration/$organisationId/audit" params={{ organisationId }}>
          {m.administration.audit}
        </Link>
        {organisation?.runs_installation && (
          <Link className={page.tab} to="/administration/$organisationId/installation" params={{ organisationId }}>
            {m.installation.title}
          </Link>
        )}
      </nav>
      <Outlet />
    </>
  );
}
